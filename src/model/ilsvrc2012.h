/* ilsvrc2012.h - the classes of the ImageNet challenge 2012 (and 2013, 2014) in the order of its
 * labels. */
#ifndef DP_MODEL_ILSVRC2012_H
#define DP_MODEL_ILSVRC2012_H

enum { DP_ILSVRC2012_CLASSES = 1000 };

typedef struct dp_ilsvrc_class {
    const char *id, *name; /* WordNet synset, its words */
} dp_ilsvrc_class;

extern const dp_ilsvrc_class dp_ilsvrc2012[DP_ILSVRC2012_CLASSES];

#endif
