/* decoding.h - what the tests of all decoders of pictures ask alike. */
#ifndef TEST_DECODING_H
#define TEST_DECODING_H

#include "helpers/pictures.h"
#include "image/image.h"

/* Of all beginnings of `from`..to - 1 bytes, the answer is an error that says so, never a picture
 * with a grey rest. name: as the message has it. */
void test_cut_short(test_bytes file, size_t from, size_t to, const char *name);

/* The nth allocation fails, for every n until decoding needs fewer; at least `least` are needed. */
void test_decode_without_memory(test_bytes file, long min_allocations);

/* Runs tests, which may write nothing to the standard error: the codecs' own messages never reach
 * the terminal. */
void test_silence(void (*const *tests)(void **state), int count);

/* Levels by formula, all different. */
dp_image test_picture(int width, int height);

#endif
