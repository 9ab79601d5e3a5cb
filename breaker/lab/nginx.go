package lab

// nginxConf is nginx with its passive health check: after so many failures the peer is
// taken out for a while, and its backup answers. nginx counts that while in whole
// seconds, so it lasts up to one longer.
const nginxConf = `
daemon off;
user root root;
master_process off;
pid DIR/nginx.pid;
error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path DIR; proxy_temp_path DIR; fastcgi_temp_path DIR; uwsgi_temp_path DIR; scgi_temp_path DIR;
  default_type application/json;
  upstream payments {
    server ADDRESS max_fails=FAILURES fail_timeout=OPENs;
    server unix:DIR/rejects.sock backup;
  }
  server {
    listen 127.0.0.1:PORT;
    location / {
      proxy_pass http://payments;
      proxy_next_upstream off;
      proxy_connect_timeout TIMEOUTms;
      proxy_read_timeout TIMEOUTms;
    }
  }
  server { listen unix:DIR/rejects.sock; location / { return ANSWER 'BODY'; } }
}
`

// nginxLine is the command line of nginx with that file.
func nginxLine(program, dir, file string) []string {
	return []string{program, "-e", "stderr", "-p", dir, "-c", file}
}
