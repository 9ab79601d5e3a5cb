package journeys

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
)

//go:embed dom.js
var domScript string

// domKept is how much of the page's text is kept, in bytes.
const domKept = 256 << 10

// inertly keeps a browser that opens the file from running or fetching anything.
const inertly = "<!doctype html>\n<meta charset=\"utf-8\">" +
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"

// dom returns the page as it stands, masked and without scripts. What stands in its
// password fields is a secret of the run from here on.
func (p *Page) dom(ctx context.Context, r redactor) ([]byte, error) {
	arg, err := json.Marshal(map[string]any{"limit": domKept, "words": sensitiveWords(), "names": sensitiveNames()})
	if err != nil {
		return nil, err
	}
	found, err := chromedp.Evaluate[struct {
		HTML   string
		Length int
		Cut    bool
		Hidden []string
	}]("((query) => {\n"+domScript+"})("+string(arg)+")")(ctx, p.target)
	if err != nil {
		return nil, err
	}
	for _, text := range found.Hidden {
		p.own.Add(text)
	}
	html := strings.ToValidUTF8(r.text(found.HTML), "?")
	if len(html) > domKept || found.Cut {
		html = strings.ToValidUTF8(html[:min(domKept, len(html))], "") +
			fmt.Sprintf("\n<!-- cut: the page has %d characters, at most %d bytes are kept -->\n", found.Length, domKept)
	}
	return []byte(inertly + html), nil
}
