// libpact_ffi, loaded at run time: the few functions of it that verify a provider.
#ifndef FORESHOCK_LIBPACT_H
#define FORESHOCK_LIBPACT_H

#include <stddef.h>

struct verifier; // opaque: a VerifierHandle of libpact_ffi

struct libpact {
	const char *(*version)(void);
	struct verifier *(*create)(const char *name, const char *version);
	void (*shutdown)(struct verifier *);
	void (*set_provider)(struct verifier *, const char *name, const char *scheme, const char *host,
	                     unsigned short port, const char *path);
	void (*set_state)(struct verifier *, const char *url, unsigned char teardown, unsigned char body);
	int (*set_options)(struct verifier *, unsigned char insecure, unsigned long timeout_ms);
	int (*set_coloured)(struct verifier *, unsigned char on);
	int (*set_none_is_error)(struct verifier *, unsigned char on);
	void (*add_header)(struct verifier *, const char *name, const char *value);
	void (*add_file)(struct verifier *, const char *file);
	int (*execute)(struct verifier *);
	const char *(*json)(const struct verifier *);
	void (*string_delete)(const char *);
};

// libpact_open fills lib from the shared library at path. It returns NULL, or the
// reason why it could not, which is to be freed.
char *libpact_open(const char *path, struct libpact *lib);

const char *libpact_version(const struct libpact *lib);

// What one verification needs. state_url may be NULL; headers holds name, value, name, value ...
struct job {
	const char *application, *application_version;
	const char *provider, *scheme, *host, *path;
	unsigned short port;
	const char *file, *state_url;
	unsigned long timeout_ms;
	unsigned char insecure;
	char **headers;
	size_t header_count;
};

// libpact_verify verifies one file. It returns the code of the run, or -1 without a
// handle, and puts the verdict into *verdict, which may be NULL and is to be freed.
int libpact_verify(const struct libpact *lib, const struct job *job, char **verdict);

#endif
