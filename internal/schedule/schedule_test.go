package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/internal/schedule"
	"github.com/foreshock/foreshock/results"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A journal is a Runner that remembers what it was asked.
type journal struct {
	run func(ctx context.Context, check string)

	mu      sync.Mutex
	ran     map[string][]time.Time // slots by check
	started map[string][]time.Time
	missed  map[string][]string // slots and reasons by check
}

func newJournal(run func(context.Context, string)) *journal {
	return &journal{run: run, ran: map[string][]time.Time{}, started: map[string][]time.Time{}, missed: map[string][]string{}}
}

func (j *journal) Run(ctx context.Context, req results.Request) (results.Result, error) {
	j.mu.Lock()
	j.ran[req.Check] = append(j.ran[req.Check], req.Slot)
	j.started[req.Check] = append(j.started[req.Check], time.Now().UTC())
	j.mu.Unlock()
	if j.run != nil {
		j.run(ctx, req.Check)
	}
	return results.Result{}, ctx.Err()
}

func (j *journal) Missed(ctx context.Context, req results.Request, reason string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if req.Location != "here" || ctx.Err() != nil {
		reason = fmt.Sprintf("%s at %q, %v", reason, req.Location, ctx.Err())
	}
	j.missed[req.Check] = append(j.missed[req.Check], req.Slot.Format(time.TimeOnly)+" "+reason)
	return nil
}

func (j *journal) misses(check, reason string) (n int) {
	for _, m := range j.missed[check] {
		if strings.HasSuffix(m, " "+reason) {
			n++
		}
	}
	return n
}

// keep runs the jobs for so long.
func keep(t *testing.T, d time.Duration, j *journal, opts schedule.Options, jobs ...schedule.Job) {
	t.Helper()
	opts.Location = "here"
	s, err := schedule.New(jobs, j, opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(ctx); err == nil {
		t.Error("a second Run: got no error")
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func TestSlotsOfAnHourAreExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var jobs []schedule.Job
		for i := range 20 {
			for _, every := range []time.Duration{700 * time.Millisecond, 10 * time.Second, time.Minute, 7 * time.Minute} {
				jobs = append(jobs, schedule.Job{Name: fmt.Sprint(every, i), Every: every})
			}
		}
		j := newJournal(nil)
		begin := time.Now()
		var late atomic.Int64
		keep(t, time.Hour+50*time.Millisecond, j, schedule.Options{Lateness: func(d time.Duration) { late.Add(int64(d)) }}, jobs...)
		for _, job := range jobs {
			phase := schedule.Phase(job.Name, job.Every)
			slots := j.ran[job.Name]
			if want := int(time.Hour / job.Every); len(slots) < want-1 || len(slots) > want+1 {
				t.Errorf("%s: ran %d times in an hour, want %d", job.Name, len(slots), want)
			}
			for i, slot := range slots {
				if (slot.UnixNano()-int64(phase))%int64(job.Every) != 0 {
					t.Fatalf("%s: got slot %v, want one of phase %v", job.Name, slot, phase)
				}
				if i > 0 && slot.Sub(slots[i-1]) != job.Every {
					t.Fatalf("%s: got slot %v after %v, want each once", job.Name, slot, slots[i-1])
				}
				if got := j.started[job.Name][i]; !got.Equal(slot) {
					t.Fatalf("%s: slot %v began at %v", job.Name, slot, got)
				}
			}
			if first := slots[0].Sub(begin); first > job.Every+100*time.Millisecond {
				t.Errorf("%s: began after %v", job.Name, first)
			}
		}
		if len(j.missed) > 0 || late.Load() > 0 {
			t.Errorf("missed %v, late %v, want neither", j.missed, time.Duration(late.Load()))
		}
	})
}

func TestPhaseSpreadsAndStays(t *testing.T) {
	t.Parallel()
	// These are part of the identity of results: they must never change.
	for name, want := range map[string]time.Duration{"storefront": 200 * time.Millisecond, "buy-a-mug": 6100 * time.Millisecond} {
		if got := schedule.Phase(name, 10*time.Second); got != want {
			t.Errorf("phase of %s: got %v, want %v", name, got, want)
		}
	}
	count := map[time.Duration]int{}
	for i := range 10_000 {
		count[schedule.Phase(fmt.Sprint("check-", i), 10*time.Second)]++
	}
	for phase, n := range count {
		if n > 200 || phase%(100*time.Millisecond) != 0 {
			t.Errorf("phase %v: got %d of 10000 checks, want about 100, on a grid of 100ms", phase, n)
		}
	}
}

func TestOverrunIsMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(ctx context.Context, check string) {
			if check == "slow" {
				wait(ctx, 25*time.Second)
			}
		})
		keep(t, time.Hour, j, schedule.Options{}, schedule.Job{Name: "slow", Every: 10 * time.Second}, schedule.Job{Name: "quick", Every: 10 * time.Second})
		if ran, missed := len(j.ran["slow"]), j.misses("slow", schedule.Overrun); ran != 120 || missed != 240 {
			t.Errorf("slow: ran %d times, missed %d, want 120 and 240: %v", ran, missed, j.missed)
		}
		if len(j.ran["quick"]) != 360 || len(j.missed["quick"]) != 0 {
			t.Errorf("quick: ran %d times, missed %v, want 360 and none", len(j.ran["quick"]), j.missed["quick"])
		}
	})
}

func TestSaturatedPoolIsItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		running, most := 0, 0
		var mu sync.Mutex
		j := newJournal(func(ctx context.Context, check string) {
			if !strings.HasPrefix(check, "browser") {
				return
			}
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			wait(ctx, 9*time.Second)
			mu.Lock()
			running--
			mu.Unlock()
		})
		jobs := []schedule.Job{{Name: "probe", Every: time.Second}}
		for i := range 5 { // 45 s of work in each 10 s, for two workers
			jobs = append(jobs, schedule.Job{Name: fmt.Sprint("browser", i), Class: schedule.Browser, Every: 10 * time.Second})
		}
		keep(t, 10*time.Minute, j, schedule.Options{Workers: map[string]int{schedule.Browser: 2}}, jobs...)
		if most != 2 {
			t.Errorf("browsers: got %d at once, want 2", most)
		}
		saturated := 0
		for _, job := range jobs[1:] {
			ran, missed := len(j.ran[job.Name]), len(j.missed[job.Name])
			saturated += j.misses(job.Name, schedule.Saturated)
			if ran < 20 || ran+missed < 59 || ran+missed > 61 {
				t.Errorf("%s: ran %d times, missed %d, want a fair part, and 60 in all", job.Name, ran, missed)
			}
		}
		if saturated == 0 {
			t.Errorf("missed %v, want some that waited too long for a browser", j.missed)
		}
		if len(j.ran["probe"]) < 599 || len(j.missed["probe"]) > 0 {
			t.Errorf("probe: ran %d times, missed %v, want 600: browsers are not its business", len(j.ran["probe"]), j.missed["probe"])
		}
	})
}

func TestPanicIsMissedAndGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(context.Context, string) { panic("oops") })
		keep(t, time.Minute, j, schedule.Options{}, schedule.Job{Name: "a", Every: time.Second})
		if ran, missed := len(j.ran["a"]), j.misses("a", schedule.Panicked); ran < 59 || missed != ran {
			t.Errorf("ran %d times, told of %d panics, want 60 of each", ran, missed)
		}
	})
}

func TestStopDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := false
		j := newJournal(func(ctx context.Context, _ string) {
			<-ctx.Done()
			time.Sleep(3 * time.Second) // it cleans up
			ended = true
		})
		begin := time.Now()
		keep(t, 30*time.Second, j, schedule.Options{Workers: map[string]int{schedule.Network: 1}},
			schedule.Job{Name: "a", Every: 10 * time.Second}, schedule.Job{Name: "b", Every: 10 * time.Second})
		if took := time.Since(begin); !ended || took != 33*time.Second {
			t.Errorf("Run returned after %v, want 33s: when the run that went on had ended", took)
		}
		if len(j.ran["a"])+len(j.ran["b"]) != 1 || j.misses("a", schedule.Stopped)+j.misses("b", schedule.Stopped) != 1 {
			t.Errorf("ran %v, missed %v, want one run, and one that waited told as stopped", j.ran, j.missed)
		}
	})
}

func TestFirstRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		var late atomic.Int64
		keep(t, 2*time.Hour, j, schedule.Options{Lateness: func(time.Duration) { late.Add(1) }},
			schedule.Job{Name: "hourly", Every: time.Hour, FirstRun: true}, schedule.Job{Name: "later", Every: time.Hour},
			schedule.Job{Name: "nightly", Cron: "0 3 * * *", FirstRun: true})
		slots := j.ran["hourly"]
		if len(slots) != 3 || slots[1].Sub(slots[0]) != time.Hour || j.started["hourly"][0].Sub(slots[0]) >= time.Hour {
			t.Errorf("got slots %v, want the one before the start and two more", slots)
		}
		if len(j.ran["later"]) != 2 {
			t.Errorf("got slots %v of a job without a first run, want two", j.ran["later"])
		}
		if late.Load() != 4 {
			t.Errorf("lateness: told %d times, want 4: a first run is not late", late.Load())
		}
		if len(j.ran["nightly"]) != 0 {
			t.Errorf("a job with cron ran at %v", j.ran["nightly"])
		}
	})
}

func TestCron(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // from 2000-01-01, a Saturday, in UTC
		j := newJournal(nil)
		keep(t, 7*24*time.Hour-time.Minute, j, schedule.Options{},
			schedule.Job{Name: "berlin", Cron: "30 3 * * 1-5", Timezone: "Europe/Berlin", Class: schedule.Process},
			schedule.Job{Name: "utc", Cron: "0 */12 * * *"})
		var got []string
		for _, slot := range j.ran["berlin"] {
			got = append(got, slot.Format("Mon 15:04:05.999 MST"))
		}
		want := []string{"Mon 02:30:00 UTC", "Tue 02:30:00 UTC", "Wed 02:30:00 UTC", "Thu 02:30:00 UTC", "Fri 02:30:00 UTC"}
		if !slices.Equal(got, want) || len(j.ran["utc"]) != 13 || len(j.missed) > 0 {
			t.Errorf("berlin: got %v, want %v; utc: got %d, want 13; missed %v", got, want, len(j.ran["utc"]), j.missed)
		}
	})
}

func TestBadJobs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		jobs []schedule.Job
		want string
	}{
		{[]schedule.Job{{Name: "a"}}, `job "a": got every 0s and cron "", want one of them`},
		{[]schedule.Job{{Name: "a", Every: time.Second, Cron: "* * * * *"}}, `job "a": got every 1s and cron "* * * * *", want one of them`},
		{[]schedule.Job{{Name: "a", Every: time.Millisecond}}, `job "a": every: got 1ms, want at least 100ms`},
		{[]schedule.Job{{Name: "a", Every: -time.Second}}, `job "a": every: got -1s, want at least 100ms`},
		{[]schedule.Job{{Name: "a", Cron: "61 * * * *"}}, `job "a": cron: got "61 * * * *", want five fields`},
		{[]schedule.Job{{Name: "a", Cron: "@every 1h"}}, `job "a": cron: got "@every 1h", want five fields`},
		{[]schedule.Job{{Name: "a", Cron: "TZ=UTC 0 * * * *"}}, `job "a": cron: got "TZ=UTC 0 * * * *", want the time zone beside it`},
		{[]schedule.Job{{Name: "a", Cron: "0 0 31 2 *"}}, `job "a": cron: got "0 0 31 2 *"`},
		{[]schedule.Job{{Name: "a", Cron: "0 * * * *", Timezone: "Berlin"}}, `job "a": timezone: got "Berlin", want a name such as Europe/Berlin`},
		{[]schedule.Job{{Name: "a", Every: time.Second, Class: "gpu"}}, `job "a": class: got "gpu", want network, browser or process`},
		{[]schedule.Job{{Name: "a", Every: time.Second}, {Name: "a", Every: time.Second}}, `job "a": the name is taken by another job`},
	} {
		if _, err := schedule.New(tc.jobs, newJournal(nil), schedule.Options{}); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %s", tc.jobs, err, tc.want)
		}
	}
}

func TestNoJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { keep(t, time.Minute, newJournal(nil), schedule.Options{}) })
}

// failing is a Runner whose results cannot be stored.
type failing struct{ *journal }

func (f failing) Run(ctx context.Context, req results.Request) (results.Result, error) {
	_, _ = f.journal.Run(ctx, req)
	return results.Result{}, errors.New("not stored")
}

func TestRunnerErrorsDoNotStopIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		s, err := schedule.New([]schedule.Job{{Name: "a", Every: time.Second}}, failing{j}, schedule.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Run(ctx); err != nil || len(j.ran["a"]) < 59 {
			t.Errorf("got %v after %d runs, want 60", err, len(j.ran["a"]))
		}
	})
}
