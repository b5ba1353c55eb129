/* formula.h - numbers that a C test and a Python script beside it make alike, so that only results
 * are recorded. The script is tests/vectors/training_pytorch.py, whose noise and pictures these
 * are. */
#ifndef TEST_FORMULA_H
#define TEST_FORMULA_H

#include <stddef.h>
#include <stdint.h>

/* Uniform in [-1, 1), exact in a float: a mix of the index and the seed. */
double test_noise(uint32_t seed, size_t index);

/* A channel of a picture of side x side, `plane` counted over pictures and channels: a sum of plane
 * triangle waves of random direction. */
void test_waves(float *to, int plane, int side);

#endif
