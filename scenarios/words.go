package scenarios

import (
	"fmt"
	"regexp"
	"strings"
)

// count is a number of things in words.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// singular mends what counts say of one thing, "1 attempts in 1 calls"; a part of one,
// "0 of 1 calls", may stay.
func singular(text string) string {
	one := regexp.MustCompile(`(of )?\b1 (?:failed )?(?:attempt|call|run|report|answer|connection|failure|probe)s\b`)
	text = one.ReplaceAllStringFunc(text, func(s string) string {
		if strings.HasPrefix(s, "of ") {
			return s
		}
		return strings.TrimSuffix(s, "s")
	})
	return strings.ReplaceAll(text, "; 1 do not apply", "; 1 does not apply")
}
