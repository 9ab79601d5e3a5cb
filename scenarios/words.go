package scenarios

import (
	"fmt"
	"regexp"
)

// count is a number of things in words.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// singular mends what counts say of one thing: "1 attempts in 1 calls".
func singular(text string) string {
	text = regexp.MustCompile(`\b1 ((?:failed )?(?:attempt|call|run|report|answer|connection|failure|probe))s\b`).ReplaceAllString(text, "1 $1")
	return regexp.MustCompile(`\b1 do not apply`).ReplaceAllString(text, "1 does not apply")
}
