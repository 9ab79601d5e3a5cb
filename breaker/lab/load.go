package lab

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// mostLoad is the largest share of all cores that Share takes.
const mostLoad = 16

// Share reads a share of all cores, such as 50% or 200%; empty is none. The result is
// in cores.
func Share(text string) (cores float64, err error) {
	if text == "" {
		return 0, nil
	}
	digits, found := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseFloat(digits, 64)
	if err != nil || !found || percent < 0 || percent > 100*mostLoad {
		return 0, fmt.Errorf("got %q, want 0%% to %d%% of all cores, such as 50%%", text, 100*mostLoad)
	}
	return percent / 100 * float64(runtime.NumCPU()), nil
}

// Burn starts processes that burn so many cores until quiet is called or ctx ends.
// self is as in a Bench.
func Burn(ctx context.Context, self []string, cores float64) (quiet func(), err error) {
	var hogs []*part
	quiet = func() {
		for _, h := range hogs {
			h.stop()
		}
	}
	n := math.Ceil(cores)
	for range int(n) {
		share := strconv.FormatFloat(cores/n, 'f', -1, 64)
		h, err := start(ctx, slices.Concat(self, []string{"hog", share}), nil)
		if err != nil {
			quiet()
			return nil, err
		}
		hogs = append(hogs, h)
	}
	return quiet, nil
}
