/* energy.h - joules that the processor has taken, as Linux tells them: the powercap zones of the
 * packages (Intel's and AMD's RAPL). Many machines have none, or let only root read them; callers
 * say so once and go on. */
#ifndef DP_BASE_ENERGY_H
#define DP_BASE_ENERGY_H

#include "base/memory.h"

#define DP_ENERGY_FOLDER "/sys/class/powercap"

enum { DP_ENERGY_ZONES = 16 };

/* Counters of packages, in millionths of a joule, that begin again at 0 after `range`. */
typedef struct dp_energy {
    int files[DP_ENERGY_ZONES];
    uint64_t last[DP_ENERGY_ZONES], range[DP_ENERGY_ZONES];
    int zones;
} dp_energy;

/* Opens the package zones below `folder`; false if there are none that may be read. */
bool dp_energy_open(dp_energy *energy, const char *folder);
void dp_energy_close(dp_energy *energy);

/* Joules since it was opened or last asked; every counter may have begun again once in between. NAN
 * if one cannot be read any more. */
double dp_energy_taken(dp_energy *energy);

#endif
