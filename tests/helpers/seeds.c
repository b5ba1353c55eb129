/* seeds.c - see seeds.h. */
#include "helpers/seeds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *program, *folder, *target;
static int written; /* over all targets */

void seeds_fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s: %s\n", program, what, why);
    exit(1);
}

void seeds_open(int count, char **arguments) {
    program = arguments[0];
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", program);
        exit(2);
    }
    folder = arguments[1];
    mkdir(folder, 0777); /* it may be there; a failure shows when the first seed is written */
}

void seeds_begin(const char *name) {
    char path[SEEDS_PATH_SIZE];
    target = name;
    snprintf(path, sizeof path, "%s/%s", folder, target);
    mkdir(path, 0777);
}

void seeds_path(char path[SEEDS_PATH_SIZE]) {
    snprintf(path, SEEDS_PATH_SIZE, "%s/%s/%03d", folder, target, written++);
}

FILE *seeds_next(void) {
    char path[SEEDS_PATH_SIZE];
    seeds_path(path);
    FILE *file = fopen(path, "wb");
    if (!file)
        seeds_fail(path, strerror(errno));
    return file;
}

void seeds_end(FILE *file) {
    const int failed = ferror(file);
    if (fclose(file) != 0 || failed)
        seeds_fail(target, "cannot be written");
}

void seeds_save(const void *bytes, size_t size) {
    FILE *file = seeds_next();
    fwrite(bytes, 1, size, file);
    seeds_end(file);
}

void seeds_save_after(int first, const void *bytes, size_t size) {
    FILE *file = seeds_next();
    fputc(first, file);
    fwrite(bytes, 1, size, file);
    seeds_end(file);
}
