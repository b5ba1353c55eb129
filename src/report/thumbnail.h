/* thumbnail.h - a picture of a data set, small enough for a page. */
#ifndef DP_REPORT_THUMBNAIL_H
#define DP_REPORT_THUMBNAIL_H

#include "data/dataset.h"

/* *thumbnail = picture `index`, its longer side 128 pixels, freed by dp_image_free; without pixels
 * where it cannot be read any more: a page does without. */
void dp_thumbnail(dp_image *thumbnail, const dp_dataset *dataset, size_t index,
                  const deeper_allocator *allocator);

#endif
