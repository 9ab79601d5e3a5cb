// Package own marks the connections that Foreshock's probes open, so that a run that
// counts the attempts of a service does not count ours. It must never refuse a
// connection: where marking is not permitted, a run sees the attempts as background.
package own

// Mark is the firewall mark (SO_MARK) of Foreshock's own connections.
const Mark = 0xf0e5
