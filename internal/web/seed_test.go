package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/web"
	"github.com/foreshock/foreshock/results"
)

// demoChecks is what the sample system's configuration lists.
func demoChecks() []web.CheckInfo {
	shop := map[string]string{"team": "shop"}
	return []web.CheckInfo{
		{Name: "storefront", Kind: "http", Every: 5 * time.Second, Labels: shop},
		{Name: "catalog", Kind: "http", Every: 5 * time.Second, Labels: shop},
		{Name: "payments", Kind: "tcp", Every: 5 * time.Second, Labels: map[string]string{"team": "money"}},
		{Name: "storefront-cert", Kind: "tls", Every: time.Minute, Labels: shop},
		{Name: "buy-a-mug", Kind: "journey", Every: 30 * time.Second, Labels: shop},
		{Name: "catalog-contract", Kind: "contract", Every: 2 * time.Minute, Labels: shop},
		{Name: "payments-outage", Kind: "scenario", Labels: shop},
	}
}

// seeder makes ten minutes of the demo that end at now.
type seeder struct {
	t      *testing.T
	now    time.Time
	out    []results.Record
	random uint32
}

const demoRun = "payments-outage-1"

func seed(t *testing.T, store results.Store, now time.Time) {
	t.Helper()
	s := &seeder{t: t, now: now.UTC(), random: 7}
	s.probes()
	s.journey()
	s.rare()
	s.scenario()
	if _, err := store.Append(t.Context(), s.out); err != nil {
		t.Fatal(err)
	}
}

func (s *seeder) at(ago time.Duration) time.Time { return s.now.Add(-ago) }

// vary gives a number around 1 that is the same in every run of the test.
func (s *seeder) vary() float64 {
	s.random = s.random*1664525 + 1013904223
	return 0.8 + 0.4*float64(s.random>>8)/float64(1<<24)
}

func (s *seeder) ms(base float64) time.Duration {
	return time.Duration(base * s.vary() * float64(time.Millisecond))
}

func (s *seeder) add(r results.Result) {
	for _, c := range demoChecks() {
		if c.Name == r.Check {
			r.Kind, r.Labels = c.Kind, c.Labels
		}
	}
	r.Location, r.Start = "staging", r.Slot
	s.out = append(s.out, results.Record{Result: &r})
}

// The fault acts from faultFrom to faultTo ago.
const (
	faultFrom = 250 * time.Second
	faultTo   = 226 * time.Second
)

func (s *seeder) probes() {
	for ago := 600 * time.Second; ago > 0; ago -= 5 * time.Second {
		slot := s.at(ago)
		fault := ago <= faultFrom && ago > faultTo
		wave := 1 + 0.35*math.Sin(float64(ago)/float64(70*time.Second))
		home := s.ms(42 * wave)
		status, cause, message := results.OK, results.Cause(""), ""
		if ago > 420*time.Second && ago < 440*time.Second {
			home = s.ms(370)
			status, cause, message = results.Warning, results.CauseSlow, "storefront: took 372ms, want at most 300ms"
		}
		s.add(results.Result{Key: results.Key{Check: "storefront", Slot: slot}, Duration: home, Status: status, Cause: cause, Message: message, Steps: phases(home)})
		cat := s.ms(11)
		s.add(results.Result{Key: results.Key{Check: "catalog", Slot: slot}, Duration: cat, Steps: phases(cat)})
		pay := results.Result{Key: results.Key{Check: "payments", Slot: slot}, Duration: s.ms(0.6)}
		pay.Steps = []results.Step{{Name: "connect", Duration: pay.Duration}}
		switch {
		case fault:
			pay.Duration, pay.Status, pay.Cause = time.Second, results.Critical, results.CauseTimeout
			pay.Message = "dial tcp 127.0.0.1:9002: i/o timeout"
			pay.Steps = []results.Step{{Name: "connect", Duration: time.Second, Status: results.Critical, Cause: results.CauseTimeout, Error: pay.Message}}
		case ago > 100*time.Second && ago <= 115*time.Second:
			pay.Status, pay.Cause, pay.Message = results.Unknown, results.CauseResources, "socket: too many open files: raise the limit of open files of foreshock"
			pay.Steps = nil
		case ago <= 12*time.Second:
			pay.Status, pay.Cause, pay.Message = results.Critical, results.CauseRefused, "dial tcp 127.0.0.1:9002: connect: connection refused"
			pay.Steps = []results.Step{{Name: "connect", Duration: pay.Duration, Status: results.Critical, Cause: results.CauseRefused, Error: pay.Message}}
		}
		s.add(pay)
	}
}

// phases cuts a request up as the HTTP probe does.
func phases(whole time.Duration) []results.Step {
	parts := []struct {
		name  string
		share float64
	}{{"resolve", .04}, {"connect", .06}, {"processing", .7}, {"transfer", .2}}
	var at time.Duration
	var out []results.Step
	for _, p := range parts {
		d := time.Duration(p.share * float64(whole))
		st := results.Step{Name: p.name, Offset: at, Duration: d}
		if p.name == "processing" {
			st.Values = map[string]float64{"status_code": 200}
		}
		out = append(out, st)
		at += d
	}
	return out
}

func (s *seeder) journey() {
	for ago := 590 * time.Second; ago > 0; ago -= 30 * time.Second {
		r := results.Result{Key: results.Key{Check: "buy-a-mug", Slot: s.at(ago)}}
		names := []string{"open the shop", "put a mug into the cart", "check out"}
		failing := ago == 230*time.Second || ago == 20*time.Second
		var at time.Duration
		for i, name := range names {
			st := results.Step{Name: name, Offset: at, Duration: s.ms(180 + 60*float64(i)), Warning: time.Second, Critical: 3 * time.Second}
			if failing && i == 2 {
				st.Duration, st.Status, st.Cause = 3*time.Second, results.Critical, results.CauseTimeout
				st.Error = `check out: waited 3s for text "Thank you", the page shows "We cannot take your payment right now"`
				st.Artifacts = []results.Artifact{{Name: "screenshot.png", MediaType: "image/png", Data: screenshot(s.t)}}
				sum := sha256.Sum256(st.Artifacts[0].Data)
				st.Artifacts[0].ID = hex.EncodeToString(sum[:])
				r.Status, r.Cause, r.Message = results.Critical, results.CauseTimeout, st.Error
			}
			r.Steps = append(r.Steps, st)
			at += st.Duration
		}
		r.Duration = at
		if ago == 140*time.Second {
			r.Duration, r.Steps = 40*time.Millisecond, nil
			r.Status, r.Cause, r.Message = results.Unknown, results.CauseBrowser, "browser: ended before the page was open: signal: killed"
		}
		s.add(r)
	}
}

// screenshot paints a shop's page that says sorry.
func screenshot(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 800, 420))
	box := func(x, y, w, h int, c color.RGBA) {
		draw.Draw(img, image.Rect(x, y, x+w, y+h), image.NewUniform(c), image.Point{}, draw.Src)
	}
	box(0, 0, 800, 420, color.RGBA{250, 250, 248, 255})
	box(0, 0, 800, 56, color.RGBA{40, 52, 70, 255})
	box(32, 20, 120, 16, color.RGBA{240, 240, 240, 255})
	box(200, 110, 400, 70, color.RGBA{250, 222, 222, 255})
	box(220, 130, 300, 10, color.RGBA{180, 40, 50, 255})
	box(220, 150, 210, 10, color.RGBA{180, 40, 50, 255})
	for i := range 3 {
		box(200, 210+i*44, 400, 28, color.RGBA{228, 230, 234, 255})
	}
	box(200, 350, 140, 36, color.RGBA{120, 130, 145, 255})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (s *seeder) rare() {
	for ago := 570 * time.Second; ago > 0; ago -= time.Minute {
		s.add(results.Result{
			Key: results.Key{Check: "storefront-cert", Slot: s.at(ago)}, Duration: s.ms(9),
			Status: results.Warning, Cause: results.CauseExpiring, Message: "certificate of shop.example ends in 12 days, want at least 21",
			Steps: []results.Step{{Name: "tls", Duration: s.ms(8), Status: results.Warning, Values: map[string]float64{"days_left": 12}}},
		})
	}
	for ago := 545 * time.Second; ago > 0; ago -= 2 * time.Minute {
		s.add(results.Result{
			Key: results.Key{Check: "catalog-contract", Slot: s.at(ago)}, Duration: s.ms(60),
			Steps: []results.Step{{Name: "a mug exists", Duration: s.ms(20)}, {Name: "an unknown mug is a 404", Offset: 25 * time.Millisecond, Duration: s.ms(18)}},
		})
	}
}

// scenario adds the run of payments-outage, its fault and its breaker.
func (s *seeder) scenario() {
	start := faultFrom + 12*time.Second
	event := func(kind, subject string, from, to time.Duration, labels map[string]string) {
		e := results.Event{Kind: kind, Subject: subject, Run: demoRun, Location: "staging", Start: s.at(from), Labels: labels}
		if to > 0 {
			e.End = s.at(to)
		}
		s.out = append(s.out, results.Record{Event: &e})
	}
	sc := map[string]string{"scenario": "payments-outage"}
	event(results.EventScenario, "payments-outage", start, faultTo-9*time.Second, sc)
	event(results.EventFault, "127.0.0.1:9002", faultFrom, faultTo, sc)
	event(results.EventBreaker, "payments", faultFrom-2*time.Second, 0, map[string]string{"from": "closed", "to": "open"})
	event(results.EventBreaker, "payments", faultTo-2*time.Second, 0, map[string]string{"from": "open", "to": "half-open"})
	event(results.EventBreaker, "payments", faultTo-5*time.Second, 0, map[string]string{"from": "half-open", "to": "closed"})

	report, err := json.Marshal(demoReport(s.at(start)))
	if err != nil {
		s.t.Fatal(err)
	}
	sum := sha256.Sum256(report)
	verdict := func(n float64) map[string]float64 { return map[string]float64{"verdict": n} }
	s.add(results.Result{
		Key: results.Key{Check: "payments-outage", Slot: s.at(start)}, Duration: start - faultTo + 9*time.Second,
		Status: results.Critical, Cause: results.CauseBreaker, Message: "quiet-while-open: 4 attempts reached the dependency while open, want 0",
		Steps: []results.Step{
			{
				Name: "verdict", Values: verdict(1),
				Artifacts: []results.Artifact{{ID: hex.EncodeToString(sum[:]), Name: "report.json", MediaType: "application/json", Data: report}},
			},
			{Name: "trips-at-threshold", Values: verdict(0)},
			{Name: "fails-fast", Values: verdict(0)},
			{Name: "quiet-while-open", Values: verdict(1)},
		},
	})
}
