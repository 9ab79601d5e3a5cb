// Package shop carries the sample configuration of the sample shop: what the demo
// runs, and what a newcomer copies. It must hold nothing but those files.
package shop

import "embed"

// Files are foreshock.yaml and what it names.
//
//go:embed foreshock.yaml journeys pacts scenarios
var Files embed.FS
