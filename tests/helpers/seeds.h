/* seeds.h - where the programs of tests/fuzz/seeds_*.c leave their seeds: FOLDER/<target>/<number>.
 * What cannot be written ends the program with a message. */
#ifndef TEST_SEEDS_H
#define TEST_SEEDS_H

#include <stddef.h>
#include <stdio.h>

enum { SEEDS_PATH_SIZE = 4096 };

/* FOLDER is the only argument; it is made if it is not there. */
void seeds_open(int count, char **arguments);

/* Seeds go to that target from here on. */
void seeds_begin(const char *target);

/* A new seed: its path, or a file to write, or all of it at once (behind a byte that chooses). */
void seeds_path(char path[SEEDS_PATH_SIZE]);
FILE *seeds_next(void);
void seeds_end(FILE *file);
void seeds_save(const void *bytes, size_t size);
void seeds_save_after(int first, const void *bytes, size_t size);

void seeds_fail(const char *what, const char *why) __attribute__((noreturn));

#endif
