package journeys

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"github.com/foreshock/foreshock/results"
)

// A picture shows no secret that was typed: neither in its field nor where the page
// repeats it. What is not secret can be read.
func TestPicturesHideSecrets(t *testing.T) {
	p := warm(t)
	t.Parallel()
	dir := files(t, map[string]string{"key": "hunter22"})
	base := serve(t)
	secret := picture(t, p, one(t, base, "/secret.html", `type: {into: "#field", text: "${file:`+dir+`/key}"}`, `type: {into: {label: Closed}, text: "${file:`+dir+`/key}"}`, `screenshot: typed`))
	plain := picture(t, p, one(t, base, "/secret.html", `type: {into: "#field", text: "hunter22"}`, `type: {into: {label: Closed}, text: "hunter22"}`, `screenshot: typed`))
	again := picture(t, p, one(t, base, "/secret.html", `type: {into: "#field", text: "${file:`+dir+`/key}"}`, `type: {into: {label: Closed}, text: "${file:`+dir+`/key}"}`, `screenshot: first`, `screenshot: typed`,
		`evaluate: "document.getAnimations().length === 0 || Promise.reject('still blurred')"`))
	for y, name := range map[int]string{0: "the field", 60: "what repeats it", 120: "the field in a closed root"} {
		line := image.Rect(0, y, 600, y+60)
		if got := darkest(secret, line); got < 64 {
			t.Errorf("%s: got ink of brightness %d, want it blurred", name, got)
		}
		if got := darkest(again, line); got < 64 {
			t.Errorf("%s, a second time: got ink of brightness %d, want it blurred", name, got)
		}
		if got := darkest(plain, line); got > 32 {
			t.Errorf("%s: got ink of brightness %d without a secret, want it readable", name, got)
		}
	}
	if got := darkest(secret, image.Rect(0, 180, 600, 240)); got > 32 {
		t.Errorf("the other text: got ink of brightness %d, want it readable", got)
	}
}

func picture(t *testing.T, p *Pool, j *Journey) image.Image {
	t.Helper()
	r := walk(t, p, j, ample)
	wantResult(t, r, results.OK, "")
	img, err := png.Decode(bytes.NewReader(stepNamed(t, r, "screenshot typed").Artifacts[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// darkest is the brightness of the darkest point: letters are black.
func darkest(img image.Image, in image.Rectangle) uint32 {
	least := uint32(255)
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			least = min(least, (r+g+b)/3>>8)
		}
	}
	return least
}
