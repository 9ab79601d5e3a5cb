package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/sqlite"
)

func runReport(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "report", []command{{"availability", "", reportAvailability}}, args)
}

// An availabilityLine is one check's, as JSON has it. What nothing tells is null.
type availabilityLine struct {
	Check        string    `json:"check"`
	Since        time.Time `json:"since"`
	Until        time.Time `json:"until"`
	Availability *float64  `json:"availability"` // 0 to 1 without planned faults
	Planned      *float64  `json:"availability_during_faults"`
	Counts       counts    `json:"counts"`
	DuringFaults counts    `json:"counts_during_faults"`
	P50MS        *float64  `json:"p50_ms"`
	P95MS        *float64  `json:"p95_ms"`
	P99MS        *float64  `json:"p99_ms"`
}

// counts are runs by status.
type counts struct {
	OK       int `json:"ok"`
	Warning  int `json:"warning"`
	Critical int `json:"critical"`
	Unknown  int `json:"unknown"`
}

func reportAvailability(ctx context.Context, p *program, args []string) int {
	formats := []string{"text", "json"}
	f := p.newFlags("report availability", "[-c foreshock.yaml] [--since 30d] [-o text|json]", formats...)
	back := f.String("since", "30d", "how far back: `TIME` such as 15m, 24h or 30d")
	if _, err := f.parse(args, formats...); err != nil {
		return p.refused(err)
	}
	length, err := span(*back)
	if err != nil {
		return p.wrong(fmt.Errorf("--since: %w", err))
	}
	if f.config == "" {
		f.config = "foreshock.yaml"
	}
	cfg, err := p.bare(false).load(f.config, p.env)
	if err != nil {
		return p.wrong(err)
	}
	until := time.Now()
	since := until.Add(-length)
	buckets, err := summarize(ctx, cfg.Store, results.Query{Since: since, Until: until})
	if err != nil {
		return p.unsure(err)
	}
	if len(buckets) == 0 {
		fmt.Fprintf(p.stderr, "foreshock: store %s: no result since %s\n", cfg.Store, since.Format(time.RFC3339))
		return exitNothing
	}
	if f.output == "json" {
		for _, b := range buckets {
			if err := json.NewEncoder(p.stdout).Encode(line(b, since, until)); err != nil {
				return p.unsure(err)
			}
		}
		return exitYes
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CHECK\tAVAILABILITY\tDURING FAULTS\tRUNS\tCRITICAL\tUNKNOWN\tP50\tP95\tP99")
	for _, b := range buckets {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\n", b.Check, percent(b.Counts), percent(b.Planned),
			b.Counts.Total()+b.Planned.Total(), b.Counts.Critical, b.Counts.Unknown, short(b.P50), short(b.P95), short(b.P99))
	}
	_ = w.Flush()
	return exitYes
}

// summarize reads the store at path. It makes none: a report only looks.
func summarize(ctx context.Context, path string, q results.Query) ([]results.Bucket, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("store: %w; serve and check make it", err)
	}
	store, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	return store.Summarize(ctx, q, 0)
}

func line(b results.Bucket, since, until time.Time) availabilityLine {
	part := func(c results.Counts) *float64 {
		if a, ok := c.Availability(); ok {
			return &a
		}
		return nil
	}
	inMS := func(d time.Duration) *float64 {
		if d == 0 {
			return nil
		}
		f := float64(d.Microseconds()) / 1000
		return &f
	}
	return availabilityLine{
		Check: b.Check, Since: since.UTC(), Until: until.UTC(), Availability: part(b.Counts), Planned: part(b.Planned),
		Counts: counts(b.Counts), DuringFaults: counts(b.Planned), P50MS: inMS(b.P50), P95MS: inMS(b.P95), P99MS: inMS(b.P99),
	}
}

func percent(c results.Counts) string {
	a, ok := c.Availability()
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.3f%%", 100*a)
}

func short(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return d.Round(100 * time.Microsecond).String()
}
