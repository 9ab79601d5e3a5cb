package sakuli

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

// desktopWords are what Sakuli does on a desktop, and what to write instead.
func desktopWords() map[string]string {
	const none = "there is a browser here, and no desktop: take it out, or use what the page itself has"
	return map[string]string{
		"Environment":       "there is no desktop here: for sleep write _wait(MILLISECONDS), for getEnv process.env.NAME, for type _type(ELEMENT, TEXT)",
		"Region":            none,
		"Application":       none,
		"MouseButton":       none,
		"Key":               "there is no keyboard of a desktop here: write _keyPress(ELEMENT, \"x\", \"CTRL\")",
		"Button":            none,
		"ScreenApi":         none,
		"RegionRectangle":   none,
		"EnvironmentImpl":   none,
		"java":              "there is no Java here",
		"Packages":          "there is no Java here",
		"JavaAdapter":       "there is no Java here",
		"_execute":          "a suite may run no programs here",
		"_callServer":       "there is no Sahi server here",
		"_getDB":            "a suite may open no databases here",
		"_writeFile":        "a suite may write no files here",
		"_writeToFile":      "a suite may write no files here",
		"_appendToFile":     "a suite may write no files here",
		"_deleteFile":       "a suite may write no files here",
		"_renameFile":       "a suite may write no files here",
		"_saveDownloadedAs": "a suite may write no files here",
		"_takeScreenShot":   "a picture of a failure is kept by itself, and there is no desktop",
		"_selectWindow":     "a case has one page here",
		"_closeWindow":      "a case has one page here",
		"_popup":            "a case has one page here",
		"_domain":           "elements are found in all frames of the page's own origin without it",
		"_mockFile":         "requests are not answered by the browser here",
		"_addMock":          "requests are not answered by the browser here",
		"decryptSecret":     cipher,
		"_decryptSecret":    cipher,
		"$secret":           cipher,
		"cipher":            cipher,
	}
}

const cipher = "encrypted secrets are not read here: put the secret itself into the environment, hand it over in the " +
	"configuration (vars: {password: \"${env:SHOP_PASSWORD}\"}) and write vars.password"

// check refuses what cannot run here, with its place, before anything runs.
func (l *loader) check() error {
	declared := map[string]bool{}
	for _, s := range l.loaded {
		maps.Copy(declared, s.declared)
	}
	desktop, known := desktopWords(), map[string]bool{}
	for _, w := range words() {
		known[w.name] = true
	}
	for name := range accessors() {
		known[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(l.loaded)) {
		s := l.loaded[name]
		for _, u := range s.used {
			if declared[u.name] {
				continue
			}
			at := &kind.Error{File: filepath.Join(l.root.Name(), name), Line: u.at.Line, Col: u.at.Column}
			if why, ok := desktop[u.name]; ok {
				at.Msg = "got " + u.name + ", which Foreshock does not run: " + why
				return at
			}
			if strings.HasPrefix(u.name, "_") && u.name != "_" && u.name != "__filename" && u.name != "__dirname" && !known[u.name] {
				at.Msg = kind.UnknownWord("word of Sakuli", u.name, slices.Sorted(maps.Keys(known)))
				return at
			}
		}
	}
	return nil
}
