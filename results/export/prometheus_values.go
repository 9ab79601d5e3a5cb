package export

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/foreshock/foreshock/results"
)

// stepValue is one number that a step of the newest result told, such as lcp_seconds.
type stepValue struct {
	step, name string
	v          float64
}

// told lists the numbers of r's steps; of two steps of one name the later counts. The
// numbers of a scenario have series of their own.
func told(r *results.Result) []stepValue {
	if r.Kind == "scenario" || r.Status == results.Unknown {
		return nil
	}
	var out []stepValue
	at := map[[2]string]int{}
	for _, st := range r.Steps {
		for name, v := range st.Values {
			fit := labelName(name)
			if fit == "duration_seconds" { // each step has that one
				continue
			}
			key := [2]string{clean(st.Name), fit}
			if i, seen := at[key]; seen {
				out[i].v = v
				continue
			}
			at[key] = len(out)
			out = append(out, stepValue{key[0], key[1], v})
		}
	}
	return out
}

// valueDesc describes a gauge of a number whose unit is in its name.
func valueDesc(name string, labels prometheus.Labels) *prometheus.Desc {
	return prometheus.NewDesc("foreshock_step_"+name, "What a step of the newest run told as "+name+".", []string{"step"}, labels)
}
