package journeys

import (
	"fmt"
	"maps"
	"slices"

	"github.com/foreshock/foreshock/internal/kind"
)

// roles gives for each ARIA role that a selector may name the CSS of the elements
// that have it without saying so (HTML-AAM); "" is none.
func roles() map[string]string {
	return map[string]string{
		"alert": "", "alertdialog": "", "article": "article", "banner": "header", "blockquote": "blockquote",
		"button":  "button, summary, input[type=button], input[type=submit], input[type=reset], input[type=image]",
		"caption": "caption, figcaption", "cell": "td", "checkbox": "input[type=checkbox]", "code": "code", "columnheader": "th:not([scope=row])",
		"combobox":      "select:not([multiple]):not([size]), input[list]",
		"complementary": "aside", "contentinfo": "footer", "definition": "dd", "dialog": "dialog",
		"emphasis": "em", "figure": "figure", "form": "form",
		"generic": "div, span, b, i, u, small, bdi, bdo, q, samp, data, a:not([href]), area:not([href])",
		"grid":    "", "gridcell": "", "group": "fieldset, details, optgroup",
		"heading": "h1, h2, h3, h4, h5, h6", "image": "img:not([alt=''])",
		"img": "img:not([alt=''])", "link": "a[href], area[href]",
		"list": "ul, ol, menu", "listbox": "select[multiple], select[size]", "listitem": "li", "log": "",
		"main": "main", "mark": "mark", "math": "math", "menu": "", "menubar": "", "menuitem": "", "menuitemcheckbox": "", "menuitemradio": "",
		"meter": "meter", "navigation": "nav", "note": "", "option": "option", "paragraph": "p",
		"progressbar": "progress", "radio": "input[type=radio]", "radiogroup": "", "region": "section",
		"row": "tr", "rowgroup": "tbody, thead, tfoot", "rowheader": "th[scope=row]", "search": "search",
		"searchbox": "input[type=search]:not([list])", "separator": "hr", "slider": "input[type=range]",
		"spinbutton": "input[type=number]", "status": "output", "strong": "strong", "switch": "", "tab": "", "table": "table",
		"tablist": "", "tabpanel": "", "term": "dfn",
		"textbox": "textarea, input:not([type]):not([list]), input[type=text]:not([list]), input[type=email]:not([list]), " +
			"input[type=tel]:not([list]), input[type=url]:not([list]), [contenteditable]:not([contenteditable=false])",
		"time": "time", "timer": "", "toolbar": "", "tooltip": "", "tree": "", "treegrid": "", "treeitem": "",
	}
}

func unknownRole(role string) string {
	near := kind.Nearest(role, slices.Sorted(maps.Keys(roles())))
	if near == "" {
		return fmt.Sprintf("unknown role %q, want one of ARIA, such as button, link, textbox or heading", role)
	}
	return fmt.Sprintf("unknown role %q; did you mean %q?", role, near)
}
