/* open.h - a session as a caller asks for it: outputs by the names of layers, a tuning by its
 * file. */
#ifndef DP_SESSION_OPEN_H
#define DP_SESSION_OPEN_H

#include "session/session.h"

/* The session of checked options. Errors: ARGUMENT (an output that is no layer, or is there twice),
 * those of dp_session_create, and of dp_tuning_read for the options' tuning. */
deeper_status dp_session_open(dp_session **session, const dp_model *model, dp_packs *packs,
                              const deeper_session_options *options, deeper_error *error);

/* The same, but with these nodes as its outputs. */
deeper_status dp_session_open_nodes(dp_session **session, const dp_model *model, dp_packs *packs,
                                    const deeper_session_options *options, const int *nodes,
                                    int count, deeper_error *error);

#endif
