package journeys

import (
	"testing"

	"github.com/foreshock/foreshock/results"
)

func TestEmulation(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	const phone = "393x659 | 3 | touch | iPhone | de-DE | 1.234,5 | Asia/Tokyo | 2026-12-24T18:00:00.000Z | 0 | true"
	j := write(t, base, `
steps:
- step: only
  do:
  - device: iPhone 15
  - geolocation: {latitude: 52.52, longitude: 13.405}
  - locale: de-DE
  - timezone: Asia/Tokyo
  - clock: 2026-12-24T18:00:00Z
  - open: ${base}/settings.html
  - see: `+phone+`
  - see: at 52.52 13.405 10
  - click: {text: Again}
  - tab: new
  - evaluate: location.reload()
  - see: `+phone+`
  - see: at 52.52 13.405 10
  - tab: close
  - device: {name: Pixel 8, landscape: true}
  - geolocation: {latitude: -33.9, longitude: 18.4, accuracy: 500}
  - locale: en-US
  - timezone: UTC
  - clock: {offset: -20h}
  - open: ${base}/settings.html
  - see: "839x412 | 2.625 | touch | Android mobile | en-US | 1,234.5 | UTC | "
  - see: at -33.9 18.4 500
  - evaluate: "screen.orientation.type === 'landscape-primary' || Promise.reject(screen.orientation.type)"
  - evaluate: "const off = (performance.timeOrigin + performance.now() - Date.now()) / 36e5; (off > 19.9 && off < 20.1) || Promise.reject('off by ' + off)"
`)
	wantResult(t, walk(t, p, j, ample), results.OK, "")
	// The next run has none of it.
	wantResult(t, walk(t, p, one(t, base, "/settings.html", "see: 1280x800 | 1 | mouse | ", `evaluate: "Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 6e4 || Promise.reject(Date())"`), ample), results.OK, "")
}
