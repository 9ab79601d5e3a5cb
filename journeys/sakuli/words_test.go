package sakuli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

// Every accessor finds the element of the test page that is called after it.
func TestAccessors(t *testing.T) {
	base := serve(t)
	t.Parallel()
	var js strings.Builder
	js.WriteString("_setFetchTimeout(5000);\n")
	for _, name := range slices.Sorted(maps.Keys(accessors())) {
		switch name {
		case "_frame": // a page of frames has nothing else
		case "_radio": // two that belong together have one name
			js.WriteString("_assertEqual(2, _count('_radio', 'a-radio'));\n")
		default:
			fmt.Fprintf(&js, "_assertEqual(1, _count('%s', 'a-%s'), 'a-%s');\n_assertExists(%s('a-%s'));\n", name, name[1:], name[1:], name, name[1:])
		}
	}
	r := runSuite(t, write(t, base, "/all.html", js.String()), 60*time.Second)
	if r.Status != results.OK {
		t.Errorf("got %v: %s", r.Status, r.Message)
	}
}

// Each line must hold; it runs as a suite of version 1 and, awaited, as one of version 2.
var expectations = map[string][]string{
	"identity": {
		`_assertEqual("Ulm", _getValue(_textbox("Town")))`, // its label
		`_assertExists(_textbox(0))`,
		`_assertExists(_link("Away"))`,                       // its title
		`_assertExists(_image("A picture"))`,                 // its alternative text
		`_assertExists(_image("mug.png"))`,                   // its file
		`_assertExists(_button("Push"))`,                     // its value
		`_assertExists(_div("box wide"))`,                    // its class
		`_assertExists(_div("Div of text"))`,                 // what it shows
		`_assertExists(_div(/^div OF/i))`,                    //
		`_assertExists(_div("/of text$/"))`,                  // a pattern as a text
		`_assertNotExists(_div("Div of"))`,                   // a text is all of it
		`_assertEqual("Cedar", _getText(_option("/./[4]")))`, // the fifth
		`_assertNotExists(_listItem("entry[2]"))`,
		`_assertExists(_listItem("entry[1]"))`,
		`_assertExists(_div({className: "wide box"}))`,
		`_assertEqual("entry", _getText(_listItem({sahiText: "entry", sahiIndex: 1})))`,
		`_assertExists(_byId("a-div"))`,
		`_assertExists(_byText("span", "span"))`,
		`_assertExists(_byClassName("wide", "div"))`,
		`_assertEqual("entry", _getText(_byXPath("//ul/li[2]")))`,
		`_assertTrue(_isVisible(_button("Twice")))`, // the one that can be seen
		`_assertFalse(_isVisible(_button("Twice[0]")))`,
		`_assertEqual("5", _getText(_cell(_table("a-table"), 2, 1)))`,
		`_assertEqual("few", _getText(_cell(_table("a-table"), "Red", "Stock")))`,
	},
	"relations": {
		`_assertEqual("of", _getText(_italic(0, _in(_div("a-div")))))`,
		`_assertEqual(2, _count("_option", "", _in(_select("a-select"))))`,
		`_assertEqual("5", _getText(_cell(/^\d$/, _near(_cell("Red")))))`,
		`_assertEqual("4", _getText(_cell(0, _under(_tableHeader("Price")))))`,
		`_assertEqual("5", _getText(_cell(0, _under(_tableHeader("Price"), 1))))`,
		`_assertEqual("4", _getText(_cell(0, _above(_cell("5")))))`,
		`_assertEqual("4", _getText(_cell(0, _underOrAbove(_cell("5")))))`,
		`_assertEqual("4", _getText(_cell(0, _rightOf(_cell("Blue")))))`,
		`_assertEqual("many", _getText(_cell(0, _rightOf(_cell("Blue"), 1))))`,
		`_assertEqual("4", _getText(_cell(0, _leftOf(_cell("many")))))`,
		`_assertEqual(2, _count("_cell", /./, _leftOrRightOf(_cell("4"))))`,
		`_assertEqual("few", _getText(_cell(0, _rightOf(_cell("Red")), _under(_tableHeader("Stock")))))`,
		`_assertEqual("a-div", _getAttribute(_parentNode(_italic("of"), "DIV"), "id"))`,
		`_assertEqual("Blue 4 many", _getText(_parentRow(_cell("4"))).replace(/\s+/g, " "))`,
		`_assertEqual("few", _getText(_parentCell(_byText("few", "u"))))`,
		`_assertEqual("a-table", _getAttribute(_parentTable(_cell("4")), "id"))`,
		`_assertExists(_paragraph("in a frame"))`,
		`_assertExists(_paragraph("in a frame", _in(_iframe("a-iframe"))))`,
	},
	"actions": {
		`_click(_button("a-button")); _assertEqual("mouseover mousedown mouseup click", _getText(_paragraph("events")))`,
		`_click(_button("a-button"), "CTRL|SHIFT"); _assertContainsText("click+ctrl+shift", _paragraph("events"))`,
		`_doubleClick(_button("a-button")); _assertContainsText("dblclick", _paragraph("events"))`,
		`_rightClick(_button("a-button")); _assertContainsText("contextmenu", _paragraph("events"))`,
		`_mouseOver(_button("a-button")); _assertEqual("mouseover", _getText(_paragraph("events")))`,
		`_mouseDown(_button("a-button")); _mouseUp(_button("a-button")); _assertContainsText("mousedown mouseup", _paragraph("events"))`,
		`_mouseDown(_button("a-button"), true); _mouseUp(_button("a-button"), true); _assertNotContainsText("click", _paragraph("events"))`,
		`_click(_xy(_button("a-button"), 2, 2)); _assertContainsText("click", _paragraph("events"))`,
		`_check(_checkbox(0)); _check(_checkbox(0)); _assertTrue(_isChecked(_checkbox(0))); _uncheck(_checkbox(0)); _assertFalse(_isChecked(_checkbox(0)))`,
		`_check(_radio("r2")); _assertTrue(_isChecked(_radio("r2")))`,
		`_setSelected(_select("a-select"), "Two"); _assertEqual("Two", _getSelectedText(_select("a-select")))`,
		`_setSelected(_select("a-select"), 0); _setSelected(_select("a-select"), "o2"); _assertEqual("o2", _getValue(_select("a-select")))`,
		`_setSelected(_select("a-select"), /^T/); _assertEqual("o2", _getValue(_select("a-select")))`,
		`_setSelected(_select("several"), ["Ash", "Cedar"]); _assertEqual("2", String(_eval("return arguments[0].selectedOptions.length", _select("several"))))`,
		`_setSelected(_select("several"), "Ash"); _setSelected(_select("several"), "Birch", true); _assertEqual(2, _eval("return arguments[0].selectedOptions.length", _select("several")))`,
		`_setValue(_textbox("town"), "Bonn"); _assertEqual("Bonn", _getValue(_textbox("town")))`,
		`_setValue(_textbox("town"), ""); _assertEqual("", _getValue(_textbox("town")))`,
		`_setValue(_datebox(0), "2026-11-22"); _assertEqual("2026-11-22", _getValue(_datebox(0)))`,
		`_setValue(_hidden("a-hidden"), "seek"); _assertEqual("seek", _getValue(_hidden("a-hidden")))`,
		`_setValue(_textarea(0), "more"); _type(_textarea(0), " words"); _assertEqual("more words", _getValue(_textarea(0)))`,
		`_type(_textbox("town"), "m"); _assertEqual("Ulmm", _getValue(_textbox("town")))`,
		`_keyPress(_textbox("plain"), "x"); _assertEqual("x", _getValue(_textbox("plain"))); _assertContainsText("keydownx keypressx keyupx", _paragraph("events"))`,
		`_keyPress(_textbox("plain"), "s", "CTRL"); _assertContainsText("keydowns+ctrl", _paragraph("events"))`,
		`_keyDown(_textbox("plain"), 65); _keyUp(_textbox("plain"), 65); _assertContainsText("keydownA keyupA", _paragraph("events"))`,
		`_focus(_textbox("plain")); _assertTrue(_areEqual(_activeElement(), _textbox("plain"))); _blur(_textbox("plain")); _focus(_textbox("plain")); _removeFocus(_textbox("plain")); _assertEqual("focus blur focus blur", _getText(_paragraph("events")))`,
		`_dragDrop(_div("grab"), _div("drop")); _assertEqual("dropped", _getText(_paragraph("events")))`,
		`_dragDropXY(_div("grab"), 700, 10); _assertEqual("let go at the right", _getText(_paragraph("events")))`,
		`_dragDropXY(_div("grab"), 10, 0, true); _assertEqual("let go at the left", _getText(_paragraph("events")))`,
		`_highlight(_div("a-div"))`,
		`_setFile(_file("a-file"), "check.js"); _assertEqual("file check.js", _getText(_paragraph("events")))`,
		`_rteWrite(_rte("a-rte"), "<b>bold</b>"); _assertExists(_bold("bold"))`,
		`_assertEqual(3, _eval("return 1 + arguments[0]", 2))`,
		`_click(_button("Frame button")); _assertExists(_button("pressed"))`,
		`_wait(5); _wait(5000, _isVisible(_paragraph("here at last")))`,
		`_assertTrue(_pageIsStable(3000, 50))`,
		`_eval("setTimeout(() => { document.title = prompt('Name?') }, 0)"); _wait(50)`,
		`_expectPrompt("Name?", "Ada"); _eval("document.title = prompt('Name?')"); _assertEqual("Ada", _title()); _assertEqual("Name?", _lastPrompt())`,
		`_expectConfirm("Sure?", false); _eval("document.title = String(confirm('Sure?'))"); _assertEqual("false", _title()); _assertEqual("Sure?", _lastConfirm())`,
		`_assertNull(_lastAlert()); _eval("alert('Boo')"); _assertEqual("Boo", _lastAlert())`,
		`_navigateTo("/login.html"); _assertEqual("Log in", _title())`,
		`_navigateTo("/login.html", true)`,
		`_navigateTo("/guarded", false, {user: "ada", password: "opensesame"}); _assertExists(_heading1("Hello ada"))`,
	},
	"questions": {
		`_assertTrue(_exists(_div("a-div"))); _assertFalse(_exists(_div("nowhere")))`,
		`_assertTrue(_isVisible(_div("a-div"))); _assertFalse(_isVisible(_div("dark")))`,
		`_assertTrue(_isEnabled(_textbox("town"))); _assertFalse(_isEnabled(_textbox("off")))`,
		`_assertTrue(_areEqual(_listItem(0), _listItem("first"))); _assertFalse(_areEqual(_listItem(1), _listItem("first")))`,
		`_assertTrue(_contains(_div("a-div"), _italic("of"))); _assertFalse(_contains(_italic("of"), _div("a-div")))`,
		`_assertTrue(_containsText(_paragraph("a-paragraph"), "ipsum d.l.r")); _assertFalse(_containsText(_div("a-div"), "nothing"))`,
		`_assertTrue(_containsHTML(_div("marked"), "<i>.*</i> Text")); _assertFalse(_containsHTML(_div("marked"), "<b>"))`,
		`_assertEqual("Formatted Text", _getText(_div("marked")))`,
		`_assertEqual("Blue", _getCellText(_cell(0)))`,
		`_assertEqual("box wide", _getAttribute(_div("a-div"), "class"))`,
		`_assertEqualArrays(["One", "Two"], _getOptions(_select("a-select")))`,
		`_assertEqualArrays(["o1", "o2"], _getOptions(_select("a-select"), "value"))`,
		`_eval("getSelection().selectAllChildren(document.getElementById('a-span'))"); _assertEqual("span", _getSelectionText())`,
		`_assertEqual(600, (_eval("arguments[0].id = 'far'", _span("a-span")), _position(_span("far")))[0])`,
		`_assertEqual("rgb(255, 255, 0)", _style(_div("marked"), "background-color"))`,
		`_assertEqual("One of each", _title())`,
		`_assertEqual(3, _collect("_listItem", /./).length); _assertEqual("first", _getText(_collect("_listItem", /./)[0]))`,
		`_assertEqual("a-div", _getAttribute(_fetch(_div("a-div")), "id"))`,
		`_setFetchTimeout(4000); _assertEqual(4000, _getFetchTimeout())`,
	},
	"assertions": {
		`_assert(true); _assertTrue(true, "why"); _assertFalse(false); _assertNotTrue(false)`,
		`_assertEqual("a", "a"); _assertNotEqual("a", "b"); _assertEqualArrays([1, 2], [1, 2])`,
		`_assertNull(null); _assertNotNull("x")`,
		`_assertExists(_div("a-div")); _assertNotExists(_div("nowhere"))`,
		`_assertContainsText("ipsum", _paragraph("a-paragraph")); _assertNotContainsText("nothing", _paragraph("a-paragraph"))`,
	},
	"other": {
		`_log("said"); _debug("said"); console.log("said", 1); Logger.logInfo("said")`,
		`_assertTrue(_random(3) <= 3)`,
		`_assertEqual("b", _readCSVFile("data.csv")[1][0]); _assertContainsText("", _div("a-div"))`,
		`_assertEqual("a;1\nb;2\n", _readFile("data.txt"))`,
	},
}

// awaited is a line as version 2 writes it.
func awaited(line string) string {
	known := map[string]bool{}
	for _, w := range words() {
		known[w.name] = !w.now
	}
	var out strings.Builder
	for i := 0; i < len(line); i++ {
		end := i
		for end < len(line) && (line[end] == '_' || line[end] >= 'A' && line[end] <= 'Z' || line[end] >= 'a' && line[end] <= 'z' || line[end] >= '0' && line[end] <= '9') {
			end++
		}
		if end > i {
			if known[line[i:end]] && end < len(line) && line[end] == '(' {
				closed := end + matching(line[end:])
				out.WriteString("(await " + line[i:end] + "(" + awaited(line[end+1:closed]) + "))")
				i = closed
				continue
			}
			out.WriteString(line[i:end])
			i = end - 1
			continue
		}
		out.WriteByte(line[i])
	}
	return out.String()
}

// matching is where the parenthesis closes that s begins with.
func matching(s string) int {
	depth := 0
	for i, c := range s {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(s)
}

func TestWords(t *testing.T) {
	base := serve(t)
	used := map[string]bool{"_dynamicInclude": true, "_include": true, "_authenticate": true, "require": true, "done": true, "setTimeout": true, "setInterval": true, "clearTimeout": true, "clearInterval": true} // in other tests
	for name, lines := range expectations {
		for _, version := range []string{"1", "2"} {
			t.Run(name+" of version "+version, func(t *testing.T) {
				t.Parallel()
				var js strings.Builder
				for i, line := range lines {
					if version == "2" {
						line = awaited(strings.Replace(line, "_wait(5000, ", "_wait(5000, () => ", 1))
						line = strings.ReplaceAll(line, "() => (await", "async () => (await")
					}
					if name == "actions" { // which change the page
						js.WriteString("_navigateTo('/all.html');")
					}
					fmt.Fprintf(&js, "try { %s } catch (e) { bad.push(e + ' in %d') }\n", line, i)
				}
				text := "var bad = [];\n_setFetchTimeout(5000);\n" + js.String() + "if (bad.length) throw bad.join('\\n');\n"
				if version == "2" {
					text = "(async () => {\n" + strings.ReplaceAll(text, "_navigateTo('/all.html');", "await _navigateTo('/all.html');") + "})()\n"
				}
				s := write(t, base, "/all.html", text)
				for name, text := range map[string]string{"data.csv": "a,1\nb,2\n", "data.txt": "a;1\nb;2\n"} {
					if err := os.WriteFile(filepath.Join(s.dir, "case1", name), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				r := runSuite(t, s, 2*time.Minute)
				if r.Status != results.OK {
					t.Errorf("got %v: %s", r.Status, r.Message)
				}
			})
		}
		for _, line := range lines {
			for _, w := range words() {
				used[w.name] = used[w.name] || strings.Contains(line, w.name+"(")
			}
		}
	}
	for _, w := range words() {
		if !used[w.name] {
			t.Errorf("%s is in no line of the table", w.name)
		}
	}
}
