/* The templates that are built in: Japanese and English, for the customer and for the support desk. */
#ifndef POLICY_NOTICE_TEXTS_H
#define POLICY_NOTICE_TEXTS_H

#include "msa/base/view.h"
#include "policy/notice/matter.h"

enum notice_language { NOTICE_JAPANESE = 0, NOTICE_ENGLISH, NOTICE_LANGUAGE_COUNT };
enum notice_reader { NOTICE_CUSTOMER = 0, NOTICE_DESK, NOTICE_READER_COUNT };

const char *notice_language_code(enum notice_language language); /* "ja", "en" */
struct view notice_text(enum notice_language language, enum notice_reader reader,
                        enum matter_kind kind); /* static */

#endif
