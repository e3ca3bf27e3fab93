/* Members of an answer, for what shows it: what is not there, or of another type, is empty or 0. */
#ifndef MSA_CTL_JSON_AT_H
#define MSA_CTL_JSON_AT_H

#include <jansson.h>
#include <stdint.h>

#include "msa/base/view.h"

static inline struct view text_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? view_of(json_string_value(value), json_string_length(value))
                                 : VIEW_EMPTY;
}

static inline int64_t number_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

#endif
