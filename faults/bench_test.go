package faults_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
)

// backends that work here, and whether to call them by name.
func backends(b *testing.B, run func(b *testing.B, in *faults.Injector)) {
	b.Helper()
	for _, suffix := range []string{"nft", "legacy"} {
		in := &faults.Injector{Suffix: suffix}
		b.Run(suffix, func(b *testing.B) {
			if _, err := in.List(b.Context()); err != nil {
				b.Skip(err)
			}
			run(b, in)
		})
	}
}

func median(b *testing.B, name string, all []time.Duration) {
	b.Helper()
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds()), name)
}

// BenchmarkInstall is what it takes to put faults in and to take them out, alone and
// among five thousand rules of others; medians.
func BenchmarkInstall(b *testing.B) {
	for _, foreign := range []int{0, 5000} {
		for _, targets := range []int{1, 1000} {
			b.Run(fmt.Sprintf("foreign=%d/targets=%d", foreign, targets), func(b *testing.B) {
				backends(b, func(b *testing.B, in *faults.Injector) { //nolint:thelper // it is the benchmark
					crowd(b, in.Suffix, foreign)
					f := buildMany(b, targets)
					var in2, out []time.Duration
					for b.Loop() {
						start := time.Now()
						made, err := in.Install(b.Context(), f, minute("bench"))
						if err != nil {
							b.Fatal(err)
						}
						in2 = append(in2, time.Since(start))
						start = time.Now()
						if err := made.Close(b.Context()); err != nil {
							b.Fatal(err)
						}
						out = append(out, time.Since(start))
					}
					median(b, "install-p50-ns", in2)
					median(b, "close-p50-ns", out)
				})
			})
		}
	}
}

// crowd puts rules of others into the table.
func crowd(b *testing.B, suffix string, n int) {
	b.Helper()
	if n == 0 {
		return
	}
	restore := func(text string) {
		c := exec.Command("iptables-"+suffix+"-restore", "--noflush")
		c.Stdin = strings.NewReader("*filter\n" + text + "COMMIT\n")
		if out, err := c.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	restore(":crowd - [0:0]\n-A INPUT -i nowhere -j crowd\n")
	for from := 0; from < n; from += 250 { // a message of a user namespace has its limit
		var text strings.Builder
		for k := from; k < from+250; k++ {
			fmt.Fprintf(&text, "-A crowd -s 10.%d.%d.0/24 -p tcp --dport 80 -j ACCEPT\n", k>>8, k&0xff)
		}
		restore(text.String())
	}
	b.Cleanup(func() { restore("-D INPUT -i nowhere -j crowd\n-F crowd\n-X crowd\n") })
}

func buildMany(b *testing.B, n int) faults.Fault {
	b.Helper()
	var to []string
	for k := range n {
		to = append(to, fmt.Sprintf("10.1.%d.%d:5432", k>>8, k&0xff))
	}
	f, err := faults.Kinds().BuildText("drop", "to: ["+strings.Join(to, ", ")+"]")
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// BenchmarkArm is what a fault takes to act and to stop once it is installed; medians.
func BenchmarkArm(b *testing.B) {
	backends(b, func(b *testing.B, in *faults.Injector) { //nolint:thelper // it is the benchmark
		f, err := faults.Kinds().BuildText("reject", "to: 127.0.0.1:9")
		if err != nil {
			b.Fatal(err)
		}
		made, err := in.Install(b.Context(), f, faults.Options{Run: "arm", Until: time.Now().Add(time.Hour)})
		if err != nil {
			b.Fatal(err)
		}
		defer made.Close(b.Context())
		var arm, heal []time.Duration
		for b.Loop() {
			start := time.Now()
			if err := made.Arm(b.Context()); err != nil {
				b.Fatal(err)
			}
			arm = append(arm, time.Since(start))
			start = time.Now()
			if err := made.Disarm(b.Context()); err != nil {
				b.Fatal(err)
			}
			heal = append(heal, time.Since(start))
		}
		median(b, "arm-p50-ns", arm)
		median(b, "heal-p50-ns", heal)
	})
}
