/* command_pull.c - brings published weights by name into the user's data folder, where --model
 * finds them by that name. */
#include "app/json.h"
#include "app/models.h"
#include "app/paths.h"
#include "commands.h"
#include "download.h"
#include "models.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_option options[] = {
    CLI_ROW_FLAG("list", 'l', "list the names instead, with addresses and hashes"),
    CLI_ROW_FILE("from", 'f', "FILE|URL", "take the file from here"),
    CLI_ROW_FILE("out", 'o', "FILE", "put it there (default: the data folder)"),
    CLI_ROW_TEXT(
        "hash", 0, "KIND:HEX", NULL,
        "the hash that the file must have, sha1:HEX or sha256:HEX, in place of the published one"),
};

/* app_data_path; NULL after a line on stderr. */
static char *data_path(const char *file) {
    deeper_error error = { 0 };
    char *path = app_data_path(file, &error);
    if (!path)
        cli_error("%s", error.message);
    return path;
}

static void print_entry(const app_published *entry, int width, bool pulled) {
    printf("%-*s  %s%s\n", width, entry->name, entry->about, pulled ? ", pulled" : "");
    for (int i = 0; i < APP_ADDRESSES && entry->urls[i]; i++)
        printf("%*s  %s\n", width, "", entry->urls[i]);
    printf("%*s  %s\n", width, "", entry->hash);
}

static int list_models(void) {
    const app_published *entry;
    int width = 0;
    for (size_t i = 0; (entry = app_published_at(i)) != NULL; i++)
        width = (int)strlen(entry->name) > width ? (int)strlen(entry->name) : width;
    for (size_t i = 0; (entry = app_published_at(i)) != NULL; i++) {
        char *path = data_path(entry->file);
        if (!path)
            return CLI_FAILED;
        bool pulled = !access(path, F_OK);
        if (cli_json())
            cli_print_json(
                APP_OBJECT(app_text(KEY_name, entry->name), app_text(KEY_about, entry->about),
                           app_text(KEY_url, entry->urls[0]), app_text(KEY_hash, entry->hash),
                           app_text(KEY_path, path), app_truth(KEY_pulled, pulled)));
        else
            print_entry(entry, width, pulled);
        free(path);
    }
    return CLI_DONE;
}

#ifdef DP_HAVE_PULL

/* The one place that the user names: --from, else the file at the mirror; *source is NULL for none,
 * malloc'ed else. False: memory is out. */
static bool source_of(char **source, const cli_args *args, const app_published *entry) {
    const char *from = cli_text(args, "from"), *mirror = getenv("DEEPER_MIRROR");
    *source = NULL;
    if (from)
        return (*source = strdup(from)) != NULL;
    if (!mirror || !*mirror)
        return true;
    const char *slash = mirror[strlen(mirror) - 1] == '/' ? "" : "/";
    return asprintf(source, "%s%s%s", mirror, slash, entry->file) >= 0;
}

static void print_result(const app_published *entry, const cli_download *download) {
    char bytes[CLI_NUMBER_SIZE];
    if (cli_json()) {
        cli_print_json(APP_OBJECT(
            app_text(KEY_name, entry->name), app_text(KEY_path, download->path),
            app_text(KEY_source, download->source), app_whole(KEY_bytes, download->bytes),
            app_text(KEY_hash, download->found_hash),
            app_truth(KEY_already_there, download->present),
            app_whole(KEY_resumed_at, download->resumed_at)));
        return;
    }
    cli_print_text(download->path);
    printf(": %s, %s%s\n", cli_bytes(download->bytes, bytes), download->found_hash,
           download->present ? ", already there" : "");
}

/* Its addresses in their order, until one of them has it. */
static int bring(cli_download *download, const app_published *entry) {
    if (download->source)
        return cli_download_run(download);
    int code = CLI_FAILED;
    for (int i = 0; i < APP_ADDRESSES && entry->urls[i] && code != CLI_DONE; i++) {
        download->source = entry->urls[i];
        code = cli_download_run(download);
    }
    return code;
}

static int pull(const cli_args *args, const app_published *entry) {
    const char *hash = cli_text(args, "hash"), *out = cli_text(args, "out");
    char *source = NULL, *path = out ? strdup(out) : data_path(entry->file);
    bool have = source_of(&source, args, entry) && path;
    cli_download download = { .source = source,
                              .path = path,
                              .hash = hash ? hash : entry->hash,
                              .max_bytes = (uint64_t)1 << 30 };
    int code = have ? bring(&download, entry) : CLI_FAILED;
    if (code == CLI_DONE)
        print_result(entry, &download);
    free(source);
    free(path);
    return code;
}

static int pull_checked(const cli_args *args, const app_published *entry) {
    const char *hash = cli_text(args, "hash");
    if (hash && !cli_hash_ok(hash))
        return cli_usage(args->command, "--hash %s: must be sha1: and 40 digits, or sha256: and 64",
                         hash);
    return pull(args, entry);
}

#else

static int pull_checked(const cli_args *args, const app_published *entry) {
    return cli_error(
        "pull: this build has no libcurl or no libcrypto; fetch %s by hand and use --model FILE",
        entry->urls[0]);
}

#endif

static int unknown(const cli_args *args, const char *name) {
    const char *near = cli_published_near(name);
    if (near)
        return cli_usage(args->command, "'%s' is not a published name; did you mean '%s'?", name,
                         near);
    return cli_usage(args->command, "'%s' is not a name that 'deeper pull --list' shows", name);
}

static int run(const cli_args *args) {
    if (cli_flag(args, "list"))
        return list_models();
    if (!args->operand_count)
        return cli_usage(args->command, "NAME is missing; 'deeper pull --list' shows them");
    const app_published *entry = app_published_find(args->operands[0]);
    if (!entry)
        return unknown(args, args->operands[0]);
    return pull_checked(args, entry);
}

const cli_command cli_command_pull = {
    .name = "pull",
    .summary = "fetch published weights by name",
    .operands = "NAME",
    .description = "Fetches a file from its public addresses, one after the other, from --from, or "
                   "from the base address "
                   "(or folder) in DEEPER_MIRROR, to which the "
                   "file's name is added; checks its hash and keeps it as "
                   "$XDG_DATA_HOME/deeper/FILE (default ~/.local/share/deeper). A "
                   "broken transfer leaves FILE.part, and the same command goes on from there.",
    .examples = "deeper pull bvlc_googlenet\n"
                "deeper pull bvlc_googlenet --from /media/usb/bvlc_googlenet.caffemodel\n"
                "DEEPER_MIRROR=http://mirror.lan/models deeper pull bvlc_googlenet\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = 1,
    .operand = CLI_PUBLISHED,
    .run = run,
};
