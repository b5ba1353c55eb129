/* download.c - see download.h. libcurl moves the bytes, libcrypto hashes them as they pass. A
 * resumed transfer is guarded twice: the server is asked to send the rest only of the same file
 * (If-Range, from PATH.part.tag), and the hash covers the whole. Built only where both libraries
 * are. */
#ifdef DP_HAVE_PULL
#include "download.h"

#include "app/paths.h"
#include "base/open.h"
#include "options.h"
#include "output.h"

#include <curl/curl.h>
#include <openssl/evp.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAG_SIZE = 256, CHUNK = 1 << 16 };

typedef enum outcome { BROUGHT, REFUSED, START_AGAIN } outcome;

typedef struct transfer {
    cli_download *download;
    CURL *curl;
    EVP_MD_CTX *digest;
    const EVP_MD *kind;
    char *part, *tag_path;
    int fd;
    uint64_t size, range_start; /* bytes in the part; where the server says its answer starts */
    uint64_t total;             /* of the whole file, 0: not said */
    bool answered;              /* the first bytes of the body have come */
    char tag[TAG_SIZE];         /* validator of the file: an ETag or a date, "" if none */
    char failure[256];          /* of the write callback; "" if none */
    cli_progress progress;
} transfer;

/* ----------------------------------------------------------------------------------------- hash */

/* Splits "sha1:HEX"; NULL if the kind is not known. */
static const EVP_MD *hash_kind(const char *hash, const char **digits) {
    const char *colon = strchr(hash, ':');
    *digits = colon ? colon + 1 : "";
    if (!strncmp(hash, "sha1:", 5))
        return EVP_sha1();
    return strncmp(hash, "sha256:", 7) ? NULL : EVP_sha256();
}

bool cli_hash_ok(const char *hash) {
    const char *digits;
    const EVP_MD *kind = hash_kind(hash, &digits);
    size_t length = strlen(digits);
    return kind && length == 2 * (size_t)EVP_MD_get_size(kind)
           && strspn(digits, "0123456789abcdefABCDEF") == length;
}

static bool hash_start(transfer *t) {
    return EVP_DigestInit_ex(t->digest, t->kind, NULL) == 1;
}

/* Hash of the bytes so far, into download->found_hash; true if it is the one wanted. The running
 * hash goes on. */
static bool hash_matches(transfer *t) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    const char *digits;
    char *text = t->download->found_hash;
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool ok = copy && EVP_MD_CTX_copy_ex(copy, t->digest) == 1
              && EVP_DigestFinal_ex(copy, bytes, &count) == 1;
    EVP_MD_CTX_free(copy);
    hash_kind(t->download->hash, &digits);
    int at = sprintf(text, "%.*s:", (int)strcspn(t->download->hash, ":"), t->download->hash);
    for (unsigned i = 0; i < count; i++)
        at += sprintf(text + at, "%02x", bytes[i]);
    return ok && !strcasecmp(strchr(text, ':') + 1, digits);
}

/* Hashes a file from its start; false if it cannot be read. *size receives its bytes. */
static bool hash_file(transfer *t, int fd, uint64_t *size) {
    static char chunk[CHUNK];
    ssize_t got;
    *size = 0;
    if (!hash_start(t) || lseek(fd, 0, SEEK_SET) < 0)
        return false;
    while ((got = read(fd, chunk, sizeof chunk)) > 0) {
        EVP_DigestUpdate(t->digest, chunk, (size_t)got);
        *size += (uint64_t)got;
    }
    return got == 0;
}

/* ---------------------------------------------------------------------------------------- bytes */

static bool refuse(transfer *t, const char *format, const char *detail) {
    if (!t->failure[0])
        snprintf(t->failure, sizeof t->failure, format, detail);
    return false;
}

/* Empties the part, for a transfer from the start. */
static bool part_restart(transfer *t) {
    if (ftruncate(t->fd, 0) || lseek(t->fd, 0, SEEK_SET) < 0 || !hash_start(t))
        return refuse(t, "cannot start the file again: %s", strerror(errno));
    t->size = 0;
    t->download->resumed_at = 0;
    cli_progress_begin(&t->progress, NULL, 0);
    return true;
}

static bool part_append(transfer *t, const char *bytes, size_t size) {
    char limit[CLI_NUMBER_SIZE];
    if (t->size + size > t->download->max_bytes)
        return refuse(t, "larger than the %s that a model may have",
                      cli_bytes(t->download->max_bytes, limit));
    for (size_t done = 0; done < size;) {
        ssize_t put = write(t->fd, bytes + done, size - done);
        if (put == 0) /* no progress, and no reason given */
            return refuse(t, "%s", strerror(ENOSPC));
        if (put < 0 && errno != EINTR)
            return refuse(t, "%s", strerror(errno));
        if (put > 0) {
            EVP_DigestUpdate(t->digest, bytes + done, (size_t)put);
            t->size += (uint64_t)put;
            done += (size_t)put;
        }
    }
    cli_progress_show(&t->progress, t->size, t->total);
    return true;
}

/* ----------------------------------------------------------------------------------------- http */

/* Keeps the file's validator beside the part, for a later If-Range. Losing it only loses the
 * guard. */
static void tag_save(const transfer *t) {
    FILE *file = fopen(t->tag_path, "we");
    if (!file)
        return;
    fputs(t->tag, file);
    fclose(file);
}

static void tag_load(const transfer *t, char tag[TAG_SIZE]) {
    struct stat status;
    const char *why;
    int file = dp_open(t->tag_path, &status, &why);
    ssize_t got = file < 0 ? -1 : read(file, tag, TAG_SIZE - 1);
    if (file >= 0)
        close(file);
    tag[got > 0 ? got : 0] = 0;
    tag[strcspn(tag, "\r\n")] = 0;
}

/* If `line` is the header `name`, copies its value without blanks around it. */
static bool header_value(const char *line, size_t length, const char *name, char *value,
                         size_t size) {
    size_t skip = strlen(name);
    if (length <= skip || strncasecmp(line, name, skip) || line[skip] != ':')
        return false;
    skip++;
    while (skip < length && isspace((unsigned char)line[skip]))
        skip++;
    while (length > skip && isspace((unsigned char)line[length - 1]))
        length--;
    if (length - skip >= size)
        return false;
    memcpy(value, line + skip, length - skip);
    value[length - skip] = 0;
    return true;
}

static size_t on_header(char *line, size_t one, size_t length, void *context) {
    transfer *t = context;
    char value[TAG_SIZE];
    uint64_t start, end, total;
    if (length >= 5
        && !strncmp(line, "HTTP/", 5)) { /* of each answer on the way, redirections included */
        t->tag[0] = 0;
        t->range_start = t->total = 0;
    } else if (header_value(line, length, "etag", value, sizeof value)) {
        if (value[0] == '"') /* a weak one, W/"...", does not promise the same bytes */
            memcpy(t->tag, value, sizeof value);
    } else if (header_value(line, length, "last-modified", value, sizeof value)) {
        if (!t->tag[0])
            memcpy(t->tag, value, sizeof value);
    } else if (header_value(line, length, "content-range", value, sizeof value)) {
        if (sscanf(value, "bytes %" SCNu64 "-%" SCNu64 "/%" SCNu64, &start, &end, &total) == 3) {
            t->range_start = start;
            t->total = total;
        }
    }
    return length * one;
}

/* Called before the first bytes of the body: are they the rest, or the whole? */
static bool answer_begin(transfer *t) {
    long code = 0;
    curl_off_t length = -1;
    t->answered = true;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code == 206 && t->range_start == t->size)
        return true;
    if (code != 200)
        return refuse(t, "%s",
                      code == 206 ? "the server sent another part of the file than asked for"
                                  : "the server's answer is no file");
    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    t->total = length > 0 ? (uint64_t)length : 0;
    tag_save(t);
    return part_restart(t);
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context) {
    transfer *t = context;
    if ((!t->answered && !answer_begin(t)) || !part_append(t, bytes, size))
        return 0; /* not what was given: curl stops */
    return size * one;
}

static struct curl_slist *curl_prepare(transfer *t) {
    char range[32], line[TAG_SIZE + 16], tag[TAG_SIZE];
    struct curl_slist *headers = NULL;
    CURL *curl = t->curl;
    bool secure = !strncasecmp(t->download->source, "https:", 6);
    curl_easy_setopt(curl, CURLOPT_URL, t->download->source);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT,
                     1L); /* a minute without a byte a second is a dead connection */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "deeper");
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    if (t->size) {
        snprintf(range, sizeof range, "%" PRIu64 "-", t->size);
        curl_easy_setopt(curl, CURLOPT_RANGE, range);
        tag_load(t, tag);
        if (tag[0]) {
            snprintf(line, sizeof line, "If-Range: %s", tag);
            headers = curl_slist_append(NULL, line);
            curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        }
    }
    return headers;
}

static outcome fetch_http(transfer *t) {
    char message[CURL_ERROR_SIZE] = "", kept[CLI_NUMBER_SIZE];
    long code = 0;
    bool resumed = t->size > 0;
    t->answered = false;
    t->curl = curl_easy_init();
    if (!t->curl) {
        cli_error("%s: libcurl cannot start", t->download->source);
        return REFUSED;
    }
    struct curl_slist *headers = curl_prepare(t);
    curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, message);
    CURLcode result = curl_easy_perform(t->curl);
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all(headers);
    curl_easy_cleanup(t->curl);
    cli_progress_end();
    if (result == CURLE_OK && (t->answered || resumed || code == 200))
        return BROUGHT;
    if (result == CURLE_HTTP_RETURNED_ERROR && code == 416 && resumed)
        return START_AGAIN; /* the part is longer than the file */
    if (t->failure[0])
        cli_error("%s: %s", t->download->source, t->failure);
    else if (result == CURLE_HTTP_RETURNED_ERROR)
        cli_error("%s: the server answered %ld", t->download->source, code);
    else if (t->size)
        cli_error("%s: %s; %s are kept, the same command goes on from there", t->download->source,
                  message[0] ? message : curl_easy_strerror(result), cli_bytes(t->size, kept));
    else
        cli_error("%s: %s%s", t->download->source,
                  message[0] ? message : curl_easy_strerror(result),
                  result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_CONNECT
                      ? "; a copy from elsewhere is taken with --from FILE"
                      : "");
    return REFUSED;
}

/* ----------------------------------------------------------------------------------------- file */

static outcome fetch_file(transfer *t, const char *path) {
    static char chunk[CHUNK];
    struct stat status;
    ssize_t got = -1;
    const char *why;
    int fd = dp_open(path, &status, &why);
    if (why)
        refuse(t, "%s", why);
    bool ok = fd >= 0 && part_restart(t);
    t->total = ok ? (uint64_t)status.st_size : 0;
    while (ok && (got = read(fd, chunk, sizeof chunk)) > 0)
        ok = part_append(t, chunk, (size_t)got);
    if (t->failure[0] || got)
        cli_error("%s: %s", path, t->failure[0] ? t->failure : strerror(errno));
    if (fd >= 0)
        close(fd);
    cli_progress_end();
    return got == 0 && !t->failure[0] ? BROUGHT : REFUSED;
}

/* Path of "file:///path" with its %XX decoded, or of a plain path; NULL for another address.
 * malloc'ed. */
static char *local_path(const char *source) {
    if (!strstr(source, "://"))
        return strdup(source);
    if (strncasecmp(source, "file://", 7))
        return NULL;
    const char *path = source + 7;
    if (!strncasecmp(path, "localhost/", 10))
        path += 9;
    char *decoded = curl_easy_unescape(NULL, path, 0, NULL),
         *copy = decoded ? strdup(decoded) : NULL;
    curl_free(decoded);
    return copy;
}

static outcome fetch(transfer *t) {
    const char *source = t->download->source;
    char *path = local_path(source);
    if (path) {
        outcome got = fetch_file(t, path);
        free(path);
        return got;
    }
    if (!strncasecmp(source, "http://", 7) || !strncasecmp(source, "https://", 8))
        return fetch_http(t);
    cli_error("%s: only http, https and file addresses and paths can be fetched", source);
    return REFUSED;
}

/* ---------------------------------------------------------------------------------------- whole */

/* Makes the part the file, durably. */
static bool part_commit(const transfer *t) {
    const char *path = t->download->path, *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    bool ok = folder && !fsync(t->fd) && !rename(t->part, path);
    if (ok) {
        unlink(t->tag_path);
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
            fsync(fd);
            close(fd);
        }
    }
    free(folder);
    return ok;
}

static bool already_there(transfer *t) {
    struct stat status;
    const char *why;
    int fd = dp_open(t->download->path, &status, &why);
    if (fd < 0)
        return false;
    t->download->present = hash_file(t, fd, &t->download->bytes) && hash_matches(t);
    close(fd);
    return t->download->present;
}

static int wrong_hash(const transfer *t) {
    unlink(t->part);
    unlink(t->tag_path);
    return cli_error("%s: not the file that was wanted: its hash is %s, not %s; what was fetched "
                     "has been removed",
                     t->download->source, t->download->found_hash, t->download->hash);
}

static bool same_file(const char *a, const char *b) {
    struct stat first, second;
    return !stat(a, &first) && !stat(b, &second) && first.st_dev == second.st_dev
           && first.st_ino == second.st_ino;
}

/* Whether the source is one of the files that the transfer writes and removes. */
static bool is_own(const transfer *t) {
    char *path = local_path(t->download->source);
    bool own = path && (same_file(path, t->part) || same_file(path, t->tag_path));
    free(path);
    return own;
}

/* The part, open and locked; false after a line on stderr. */
static bool part_open(transfer *t) {
    struct stat status;
    t->fd = open(t->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (t->fd < 0 || fstat(t->fd, &status))
        cli_error("%s: %s", t->part, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        cli_error("%s: is not an ordinary file; remove it", t->part);
    else if (flock(t->fd, LOCK_EX | LOCK_NB))
        cli_error("%s: another pull is writing it", t->part);
    else if (!hash_file(t, t->fd, &t->size))
        cli_error("%s: %s", t->part, strerror(errno));
    else
        return true;
    return false;
}

static int bring(transfer *t) {
    cli_download *download = t->download;
    if (already_there(t))
        return CLI_DONE;
    if (is_own(t))
        return cli_error("%s: is where the transfer itself is kept; move it, or name another --out",
                         download->source);
    if (!app_folders_make(download->path))
        return cli_error("%s: its folder cannot be made: %s", download->path, strerror(errno));
    if (!part_open(t))
        return CLI_FAILED;
    download->resumed_at = t->size;
    cli_progress_begin(&t->progress, NULL, t->size);
    bool complete =
        t->size
        && hash_matches(t); /* an earlier call ended between the last byte and the new name */
    outcome got = complete ? BROUGHT : fetch(t);
    if (got == START_AGAIN)
        got = part_restart(t) ? fetch(t) : REFUSED;
    if (got != BROUGHT) {
        if (!t->size) { /* nothing came: leave nothing */
            unlink(t->part);
            unlink(t->tag_path);
        }
        return CLI_FAILED;
    }
    if (!hash_matches(t))
        return wrong_hash(t);
    download->bytes = t->size;
    return part_commit(t) ? CLI_DONE : cli_error("%s: %s", download->path, strerror(errno));
}

int cli_download_run(cli_download *download) {
    const char *digits;
    transfer t = { .download = download,
                   .fd = -1,
                   .kind = hash_kind(download->hash, &digits),
                   .digest = EVP_MD_CTX_new() };
    bool named = asprintf(&t.part, "%s.part", download->path) >= 0
                 && asprintf(&t.tag_path, "%s.part.tag", download->path) >= 0;
    int code = named && t.digest && !curl_global_init(CURL_GLOBAL_DEFAULT)
                   ? bring(&t)
                   : cli_error("out of memory");
    if (t.fd >= 0)
        close(t.fd);
    EVP_MD_CTX_free(t.digest);
    curl_global_cleanup();
    free(t.part);
    free(t.tag_path);
    return code;
}
#else
typedef int cli_download_left_out; /* a translation unit may not be empty */
#endif
