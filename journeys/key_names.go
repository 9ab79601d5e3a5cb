package journeys

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/chromedp/chromedp/kb"
)

// keyNamed finds a key by what it writes (a), by its name (Enter, Shift), or by where it
// is on a keyboard (KeyA, ShiftRight, Numpad5); shift says whether Shift is held.
func keyNamed(name string, shift bool) (kb.Key, bool) {
	if name == "\n" {
		name = kb.Enter
	}
	if r, size := utf8.DecodeRuneInString(name); size > 0 && size == len(name) {
		if k, ok := kb.Keys[r]; ok {
			return *k, true
		}
		return kb.Key{Key: name, Text: name, Unmodified: name, Print: true}, r != utf8.RuneError && r >= ' '
	}
	if k, ok := otherKeys()[name]; ok {
		return k, true
	}
	var found kb.Key
	for _, r := range slices.Sorted(maps.Keys(kb.Keys)) {
		k := *kb.Keys[r]
		if (k.Key == name || k.Code == name) && (found.Key == "" || k.Shift == shift) {
			found = k
		}
	}
	return generic(found), found.Key != ""
}

// generic gives the keys that are held the code by which pages know them, whether they
// are on the left or on the right.
func generic(k kb.Key) kb.Key {
	if code, ok := map[string]int64{"Shift": 16, "Control": 17, "Alt": 18}[k.Key]; ok {
		k.Windows, k.Native = code, code
	}
	return k
}

// otherKeys are those that chromedp's table does not have: the right ones, the number
// pad, and some that no keyboard of today has but recordings may name.
func otherKeys() map[string]kb.Key {
	keys := map[string]kb.Key{
		"NumpadEnter": {Code: "NumpadEnter", Key: "Enter", Text: "\r", Unmodified: "\r", Windows: 13, Print: true},
		"AltGraph":    {Code: "AltGraph", Key: "AltGraph", Windows: 225},
	}
	for name, left := range map[string]string{"ShiftRight": kb.Shift, "ControlRight": kb.Control, "AltRight": kb.Alt, "MetaRight": kb.Meta} {
		r, _ := utf8.DecodeRuneInString(left)
		k := generic(*kb.Keys[r])
		k.Code = name
		keys[name] = k
	}
	pad := func(name, text string, code int64) {
		keys[name] = kb.Key{Code: name, Key: text, Text: text, Unmodified: text, Windows: code, Print: true}
	}
	for n := range 10 {
		pad(fmt.Sprintf("Numpad%d", n), strconv.Itoa(n), int64(96+n))
	}
	pad("NumpadMultiply", "*", 106)
	pad("NumpadAdd", "+", 107)
	pad("NumpadSubtract", "-", 109)
	pad("NumpadDecimal", ".", 110)
	pad("NumpadDivide", "/", 111)
	pad("NumpadEqual", "=", 187)
	for _, name := range []string{
		"Accept", "Attn", "Call", "Camera", "Cancel", "Clear", "CrSel", "EndCall", "EraseEof", "ExSel", "Execute", "ModeChange", "Play",
		"SoftLeft", "SoftRight", "VolumeDown", "VolumeUp",
	} {
		keys[name] = kb.Key{Code: name, Key: name}
	}
	return keys
}

// location says on which side of a keyboard a key is, as the browser counts.
func location(code string) int64 {
	switch {
	case strings.HasPrefix(code, "Numpad"):
		return 3
	case strings.HasSuffix(code, "Left") && code != "ArrowLeft" && code != "BracketLeft":
		return 1
	case strings.HasSuffix(code, "Right") && code != "ArrowRight" && code != "BracketRight":
		return 2
	}
	return 0
}

// keyNames are those that an error lists: the ones that people press.
func keyNames() []string {
	names := []string{"Shift", "Control", "Alt", "Meta"}
	for name := range namedKeys() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// allKeyNames are those that [keyNamed] finds, but for single characters.
func allKeyNames() []string {
	names := slices.Collect(maps.Keys(otherKeys()))
	for _, k := range kb.Keys {
		names = append(names, k.Key, k.Code)
	}
	names = slices.DeleteFunc(names, func(s string) bool { return utf8.RuneCountInString(s) < 2 })
	slices.Sort(names)
	return slices.Compact(names)
}
