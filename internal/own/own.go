// Package own marks the connections that Foreshock's probes open, so that a run that
// counts the attempts of a service does not count ours. It must never refuse a
// connection: where marking is not permitted, a run sees the attempts as background.
package own

// Mark is the firewall mark (SO_MARK) of Foreshock's own connections. It keeps clear of
// the bits that kube-proxy drops (0x8000) and masquerades (0x4000) by.
const Mark = 0xe5
