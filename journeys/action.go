package journeys

import (
	"context"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// An Action is one thing that a user does on a page. It holds only its settings and
// may run several times at once.
type Action interface {
	// String names the action in results, such as "click #buy". It never holds a
	// typed value, which may be a secret.
	String() string
	// Do acts on the page. It waits until the page allows it, or ctx ends.
	Do(ctx context.Context, p *Page, span *results.Span) error
}

// Actions lists every kind of action.
func Actions() kind.Table[Action] {
	return kind.Table[Action]{
		openKind(),
		clickKind(),
		doubleClickKind(),
		typeKind(),
		fillKind(),
		clearKind(),
		oneTimePasswordKind(),
		pressKind(),
		keyDownKind(),
		keyUpKind(),
		selectKind(),
		checkKind(),
		uncheckKind(),
		uploadKind(),
		hoverKind(),
		dragKind(),
		scrollKind(),
		dialogKind(),
		tabKind(),
		cookieKind(),
		headerKind(),
		viewportKind(),
		networkKind(),
		deviceKind(),
		geolocationKind(),
		localeKind(),
		timezoneKind(),
		clockKind(),
		waitForKind(),
		waitUntilKind(),
		elementsKind(),
		arriveKind(),
		seeKind(),
		ifKind(),
		repeatKind(),
		storeKind(),
		evaluateKind(),
		screenshotKind(),
	}
}

// decodeShort decodes settings that are either a single text or a mapping.
func decodeShort[T any](n kind.Node, text *string, whole *T) error {
	if n.Shape == kind.Scalar {
		*text = n.Text
		return nil
	}
	return n.Decode(whole)
}
