package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// A contestant is a worker process and what was measured of it.
type contestant struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader

	took []float64 // milliseconds of each run
	rate []float64 // runs a second of each turn
	cpu  time.Duration
	peak int64 // bytes
}

func start(ctx context.Context, name string, o options, base, dir string) (*contestant, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-worker", name, "-browser", o.browser, "-base", base) //nolint:gosec // this program again
	if name == "playwright" {
		tools, err := filepath.Abs(o.playwright)
		if err != nil {
			return nil, err
		}
		script := filepath.Join(dir, "playwright.mjs")
		if err := os.WriteFile(script, playwright, 0o600); err != nil {
			return nil, err
		}
		cmd = exec.CommandContext(ctx, "node", script, tools, o.browser, base) //nolint:gosec // the files of the benchmark
	}
	cmd.Stderr = os.Stderr
	c := &contestant{name: name, cmd: cmd}
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, cmd.Start()
}

func (c *contestant) end() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
}

func (c *contestant) reset() { c.took, c.rate, c.cpu, c.peak = nil, nil, 0, 0 }

// ask lets the worker do the journey so many times and returns the times in milliseconds.
func (c *contestant) ask(runs int, s set) ([]float64, error) {
	if _, err := fmt.Fprintf(c.in, "%d %d %s\n", runs, s.atOnce, s.journey); err != nil {
		return nil, err
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	var took []float64
	if err := json.Unmarshal(line, &took); err != nil {
		return nil, fmt.Errorf("got %q, want times: %w", line, err)
	}
	if len(took) != runs {
		return nil, fmt.Errorf("got the times of %d runs, want %d", len(took), runs)
	}
	return took, nil
}

// turn measures some runs.
func (c *contestant) turn(runs int, s set) error {
	before, begin := look(c.cmd.Process.Pid, false), time.Now()
	took, err := c.ask(runs, s)
	if err != nil {
		return err
	}
	wall := time.Since(begin)
	c.cpu += look(c.cmd.Process.Pid, false).cpu - before.cpu
	c.took = append(c.took, took...)
	c.rate = append(c.rate, float64(runs)/wall.Seconds())
	return nil
}

// sample looks at the memory of some runs, which are not timed: a look stops what it
// looks at for a moment.
func (c *contestant) sample(runs int, s set) error {
	done := make(chan error, 1)
	go func() {
		_, err := c.ask(runs, s)
		done <- err
	}()
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-every.C:
			c.peak = max(c.peak, look(c.cmd.Process.Pid, true).pss)
		}
	}
}

// percentile of sorted values; p is 0 to 1.
func percentile(values []float64, p float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(p*float64(len(sorted)-1))]
}

func report(w io.Writer, all []*contestant, s set) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(t, "%s, %d at once\tjourneys/s\tp50 ms\tp95 ms\tCPU s/journey\tours is\t\n", s.journey, s.atOnce)
	for _, c := range all {
		// The ratio is of turns that ran beside each other: the median of them.
		var ratios []float64
		for i := range c.rate {
			ratios = append(ratios, all[0].rate[i]/c.rate[i])
		}
		_, _ = fmt.Fprintf(t, "%s\t%.2f\t%.0f\t%.0f\t%.3f\t%.2fx\t\n", c.name, percentile(c.rate, 0.5),
			percentile(c.took, 0.5), percentile(c.took, 0.95), c.cpu.Seconds()/float64(len(c.took)), percentile(ratios, 0.5))
	}
	_ = t.Flush()
}
