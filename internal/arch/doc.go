// Package arch holds the architecture to what was agreed: a golden file of who imports
// whom. It has no code of its own.
package arch
