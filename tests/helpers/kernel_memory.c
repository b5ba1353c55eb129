/* kernel_memory.c - operands against guard pages, by mmap and mprotect. Mappings are kept for the
 * next case that wants as many pages, since a family has ten thousand cases. Trouble of the machine
 * itself ends the test program. */
#include "base/random.h"
#include "helpers/kernel_harness.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Floats of `pages` pages between two guard pages; the operand is `count` of them from `first`. */
typedef struct mapping {
    struct mapping *next;
    float *floats;
    size_t pages, first, count;
    bool used;
} mapping;

typedef struct zeroed {
    struct zeroed *next;
    _Alignas(max_align_t) char bytes[];
} zeroed;

struct kernel_memory {
    size_t page;
    mapping *mappings;
    zeroed *zeroed;
    uint64_t streams; /* random operands of this case so far */
};

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

kernel_memory *kernel_memory_create(void) {
    kernel_memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        give_up("calloc");
    memory->page = (size_t)sysconf(_SC_PAGESIZE);
    return memory;
}

static mapping *map_pages(kernel_memory *memory, size_t pages) {
    mapping *m = calloc(1, sizeof *m);
    const size_t bytes = pages * memory->page;
    char *start =
        mmap(NULL, bytes + 2 * memory->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!m || start == MAP_FAILED
        || mprotect(start + memory->page, bytes, PROT_READ | PROT_WRITE) != 0)
        give_up("mmap");
    m->floats = (float *)(void *)(start + memory->page);
    m->pages = pages;
    m->next = memory->mappings;
    memory->mappings = m;
    return m;
}

float *kernel_floats(kernel_test *t, size_t count) {
    kernel_memory *memory = t->memory;
    const size_t bytes = count * sizeof(float);
    const size_t pages = count ? (bytes + memory->page - 1) / memory->page : 1;
    mapping *m = memory->mappings;
    while (m && (m->used || m->pages != pages))
        m = m->next;
    if (!m)
        m = map_pages(memory, pages);
    const size_t room = pages * memory->page / sizeof(float);
    m->used = true;
    m->first = t->side == KERNEL_GUARD_BEFORE ? 0 : room - count;
    m->count = count;
    for (size_t i = 0; i < room; i++)
        m->floats[i] = NAN;
    return m->floats + m->first;
}

float *kernel_random(kernel_test *t, size_t count, double low, double high) {
    dp_random random = dp_random_at(1, t->memory->streams++, 0);
    float *values = kernel_floats(t, count);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(low + (high - low) * (double)dp_random_unit(&random));
    return values;
}

float *kernel_copy(kernel_test *t, const float *values, size_t count) {
    float *copy = kernel_floats(t, count);
    memcpy(copy, values, count * sizeof *values);
    return copy;
}

void *kernel_zeroed(kernel_test *t, size_t count, size_t size) {
    zeroed *z = calloc(1, sizeof *z + count * size);
    if (!z)
        give_up("calloc");
    z->next = t->memory->zeroed;
    t->memory->zeroed = z;
    return z->bytes;
}

double *kernel_doubles(kernel_test *t, size_t count) {
    return kernel_zeroed(t, count, sizeof(double));
}

double *kernel_widened(kernel_test *t, const float *values, size_t count) {
    double *wide = kernel_doubles(t, count);
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    return wide;
}

double *kernel_absolute(kernel_test *t, const double *values, size_t count) {
    double *absolute = kernel_doubles(t, count);
    for (size_t i = 0; i < count; i++)
        absolute[i] = fabs(values[i]);
    return absolute;
}

/* The floats beside the operand are still those of kernel_floats. */
static bool untouched(const kernel_memory *memory, const mapping *m) {
    const size_t room = m->pages * memory->page / sizeof(float);
    for (size_t i = 0; i < room; i++)
        if ((i < m->first || i >= m->first + m->count) && !isnan(m->floats[i]))
            return false;
    return true;
}

bool kernel_memory_release(kernel_memory *memory) {
    bool clean = true;
    for (mapping *m = memory->mappings; m; m = m->next) {
        clean = clean && (!m->used || untouched(memory, m));
        m->used = false;
    }
    for (zeroed *next; memory->zeroed; memory->zeroed = next) {
        next = memory->zeroed->next;
        free(memory->zeroed);
    }
    memory->streams = 0;
    return clean;
}

void kernel_memory_free(kernel_memory *memory) {
    for (mapping *m = memory->mappings, *next; m; m = next) {
        next = m->next;
        munmap((char *)(void *)m->floats - memory->page, (m->pages + 2) * memory->page);
        free(m);
    }
    free(memory);
}
