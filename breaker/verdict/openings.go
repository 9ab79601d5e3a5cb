package verdict

// openings is how many times in a row the breaker had opened when the fault was
// healed: each probe that failed opened it again, for longer if that is declared.
func openings(d Declared, o *Observed, t Trip) int {
	n, since := 1, t.At
	for _, a := range o.Attempts {
		least, _ := d.Opens(n)
		if a < since+least*9/10 || !o.fault().Has(a) {
			continue
		}
		n++
		since = a
	}
	return n
}
