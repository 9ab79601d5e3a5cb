package recorder

import (
	"bytes"
	"encoding/json"
)

// foreign names what a text is if it is known not to be a recording, else "".
func foreign(text []byte) string {
	text = bytes.TrimSpace(text)
	if bytes.HasPrefix(text, []byte("PK\x03\x04")) {
		return "a zip archive, such as a trace of Playwright"
	}
	if len(text) == 0 {
		return "an empty file"
	}
	if text[0] != '{' && text[0] != '[' {
		return foreignScript(text)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	for _, t := range [][]byte{text, first} { // traces have one value a line
		var keys map[string]json.RawMessage
		if json.Unmarshal(t, &keys) == nil {
			return foreignObject(keys)
		}
	}
	return ""
}

func foreignObject(keys map[string]json.RawMessage) string {
	for _, known := range []struct {
		what string
		keys []string
	}{
		{"a HAR file, which holds traffic and not what a user did", []string{"log"}},
		{"a project of Selenium IDE", []string{"tests", "suites"}},
		{"a performance trace of Chrome DevTools, not of its Recorder", []string{"traceEvents"}},
		{"a trace of Playwright", []string{"browserName", "platform"}},
		{"code generation of Playwright", []string{"browserName", "launchOptions"}},
		{"results of Cypress", []string{"cypressVersion"}},
		{"results of Cypress or Mocha", []string{"stats", "results"}},
		{"a collection of Postman", []string{"info", "item"}},
		{"a source map", []string{"mappings", "sources"}},
	} {
		all := keys["steps"] == nil
		for _, k := range known.keys {
			all = all && keys[k] != nil
		}
		if all {
			return known.what
		}
	}
	return ""
}

// foreignScript knows what the Recorder and others export besides JSON.
func foreignScript(text []byte) string {
	for _, known := range []struct{ what, mark string }{
		{"a test of Cypress in JavaScript", "cy.visit("},
		{"a test of Cypress in JavaScript", "cy.get("},
		{"a test of Playwright in JavaScript", "@playwright/test"},
		{"a script of @puppeteer/replay", "@puppeteer/replay"},
		{"a script of Puppeteer", "puppeteer"},
		{"a script of WebdriverIO", "browser.url("},
	} {
		if bytes.Contains(text, []byte(known.mark)) {
			return known.what
		}
	}
	return ""
}
