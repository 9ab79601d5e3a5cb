package page

import (
	"fmt"
	"math"
)

// span is a length of time in milliseconds as people read it.
func span(ms float64) string {
	switch {
	case ms < 1:
		return fmt.Sprintf("%.2g\u00a0ms", max(ms, 0))
	case ms < 10:
		return fmt.Sprintf("%.1f\u00a0ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f\u00a0ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.2f\u00a0s", ms/1000)
	case ms < 60_000:
		return fmt.Sprintf("%.1f\u00a0s", ms/1000)
	}
	s := math.Round(ms / 1000)
	return fmt.Sprintf("%d\u00a0min %d\u00a0s", int(s)/60, int(s)%60)
}

// clock is a time since the start of the run, which is in milliseconds.
func clock(ms float64) string { return fmt.Sprintf("%.2f\u00a0s", ms/1000) }

// round is a round time of the axis.
func round(ms float64) string {
	if ms < 1000 && ms > 0 {
		return fmt.Sprintf("%g\u00a0ms", ms)
	}
	return fmt.Sprintf("%g\u00a0s", ms/1000)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
