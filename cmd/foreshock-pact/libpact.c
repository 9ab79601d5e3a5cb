//go:build cgo

#include "libpact.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// symbol pairs a function's name with the place of its pointer in struct libpact.
struct symbol {
	const char *name;
	size_t offset;
};

static const struct symbol symbols[] = {
	{"pactffi_version", offsetof(struct libpact, version)},
	{"pactffi_verifier_new_for_application", offsetof(struct libpact, create)},
	{"pactffi_verifier_shutdown", offsetof(struct libpact, shutdown)},
	{"pactffi_verifier_set_provider_info", offsetof(struct libpact, set_provider)},
	{"pactffi_verifier_set_provider_state", offsetof(struct libpact, set_state)},
	{"pactffi_verifier_set_verification_options", offsetof(struct libpact, set_options)},
	{"pactffi_verifier_set_coloured_output", offsetof(struct libpact, set_coloured)},
	{"pactffi_verifier_set_no_pacts_is_error", offsetof(struct libpact, set_none_is_error)},
	{"pactffi_verifier_add_custom_header", offsetof(struct libpact, add_header)},
	{"pactffi_verifier_add_file_source", offsetof(struct libpact, add_file)},
	{"pactffi_verifier_execute", offsetof(struct libpact, execute)},
	{"pactffi_verifier_json", offsetof(struct libpact, json)},
	{"pactffi_string_delete", offsetof(struct libpact, string_delete)},
};

char *libpact_open(const char *path, struct libpact *lib) {
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		return strdup(dlerror());
	}
	for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
		void *found = dlsym(handle, symbols[i].name);
		if (found == NULL) {
			return strdup(dlerror());
		}
		memcpy((char *)lib + symbols[i].offset, &found, sizeof found);
	}
	return NULL;
}

const char *libpact_version(const struct libpact *lib) { return lib->version(); }

int libpact_verify(const struct libpact *lib, const struct job *job, char **verdict) {
	*verdict = NULL;
	struct verifier *v = lib->create(job->application, job->application_version);
	if (v == NULL) {
		return -1;
	}
	lib->set_provider(v, job->provider, job->scheme, job->host, job->port, job->path);
	lib->set_options(v, job->insecure, job->timeout_ms);
	lib->set_coloured(v, 0);
	lib->set_none_is_error(v, 1);
	if (job->state_url != NULL) {
		lib->set_state(v, job->state_url, 1, 1);
	}
	for (size_t i = 0; i < job->header_count; i++) {
		lib->add_header(v, job->headers[2 * i], job->headers[2 * i + 1]);
	}
	lib->add_file(v, job->file);
	int code = lib->execute(v);
	const char *text = lib->json(v);
	if (text != NULL) {
		*verdict = strdup(text); // theirs is freed by their allocator
		lib->string_delete(text);
	}
	lib->shutdown(v);
	return code;
}
