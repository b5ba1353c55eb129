/* formula.c - see formula.h. */
#include "helpers/formula.h"

#include <math.h>

enum { WAVES = 4, PICTURES = 5555 };

double test_noise(uint32_t seed, size_t index) {
    uint32_t x = (uint32_t)index * 0x9E3779B1U + seed * 0x85EBCA77U + 0xC2B2AE3DU;
    x ^= x >> 15;
    x *= 0x2C1B3C6DU;
    x ^= x >> 12;
    return (double)(x >> 8) / 8388608.0 - 1.0;
}

void test_waves(float *to, int plane, int side) {
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            double sum = 0;
            for (int wave = 0; wave < WAVES; wave++) {
                size_t draw = ((size_t)plane * WAVES + (size_t)wave) * 3;
                double phase = test_noise(PICTURES, draw) * x / 16
                               + test_noise(PICTURES, draw + 1) * y / 16
                               + test_noise(PICTURES, draw + 2);
                sum += fabs(phase - 2 * floor(phase / 2) - 1) * 2 - 1;
            }
            to[y * side + x] = (float)sum;
        }
}
