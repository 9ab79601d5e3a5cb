package lab

// haproxyConf is HAProxy that judges its server by the calls that pass: after so many
// failures in a row it marks it down, tries it by itself when a while is over, and
// answers 503 meanwhile. It asks of itself only then. Each call has a connection of its own:
// HAProxy does not count a failure on one that it kept, since the caller is to try again.
const haproxyConf = `
global
  maxconn 200
defaults
  mode http
  retries 0
  option http-server-close
  timeout client 10s
  timeout connect TIMEOUTms
  timeout server TIMEOUTms
  timeout check TIMEOUTms
frontend calls
  bind 127.0.0.1:PORT
  use_backend rejects if { nbsrv(payments) eq 0 }
  default_backend payments
backend payments
  # 503 is the word of an open breaker: a call that failed gets another.
  http-after-response set-status 502 if { status 503 }
  server payments ADDRESS check inter 12h fastinter OPENms downinter OPENms rise 1 fall 1 observe layer7 error-limit FAILURES on-error mark-down
backend rejects
  http-request return status ANSWER content-type application/json string 'BODY'
`

// haproxyLine is the command line of HAProxy with that file.
func haproxyLine(program, _, file string) []string { return []string{program, "-db", "-q", "-f", file} }
