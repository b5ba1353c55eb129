/* energy.c - one descriptor a zone, read from its beginning each time. */
#include "base/energy.h"

#include "base/open.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_number(int file, uint64_t *number) {
    char text[32], *end = text;
    ssize_t size = pread(file, text, sizeof text - 1, 0);
    if (size <= 0)
        return false;
    text[size] = '\0';
    errno = 0;
    *number = strtoull(text, &end, 10);
    return end != text && errno == 0;
}

static int open_in(const char *folder, int zone, const char *name) {
    char path[256];
    int length = snprintf(path, sizeof path, "%s/intel-rapl:%d/%s", folder, zone, name);
    struct stat status;
    const char *why;
    return length < (int)sizeof path ? dp_open(path, &status, &why) : -1;
}

static bool is_package(const char *folder, int zone) {
    char name[16] = "";
    int file = open_in(folder, zone, "name");
    ssize_t size = file < 0 ? -1 : pread(file, name, sizeof name - 1, 0);
    if (file >= 0)
        close(file);
    return size > 0 && strncmp(name, "package", strlen("package")) == 0;
}

/* The range of a zone, after which its counter begins again. */
static bool read_range(const char *folder, int zone, uint64_t *range) {
    int file = open_in(folder, zone, "max_energy_range_uj");
    bool named = file >= 0 && read_number(file, range);
    if (file >= 0)
        close(file);
    return named;
}

bool dp_energy_open(dp_energy *energy, const char *folder) {
    *energy = (dp_energy){ .zones = 0 };
    for (int zone = 0; zone < DP_ENERGY_ZONES; zone++) {
        int at = energy->zones, file = -1;
        if (!is_package(folder, zone) || !read_range(folder, zone, &energy->range[at])
            || (file = open_in(folder, zone, "energy_uj")) < 0)
            continue;
        energy->files[at] = file;
        if (read_number(file, &energy->last[at]))
            energy->zones++;
        else
            close(file);
    }
    return energy->zones > 0;
}

void dp_energy_close(dp_energy *energy) {
    for (int i = 0; i < energy->zones; i++)
        close(energy->files[i]);
    energy->zones = 0;
}

double dp_energy_taken(dp_energy *energy) {
    double joules = 0;
    for (int i = 0; i < energy->zones; i++) {
        uint64_t now;
        if (!read_number(energy->files[i], &now))
            return NAN;
        joules += 1e-6
                  * (double)(now >= energy->last[i] ? now - energy->last[i]
                                                    : now + energy->range[i] - energy->last[i]);
        energy->last[i] = now;
    }
    return joules;
}
