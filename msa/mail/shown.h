/* Addresses that a person sees in a text, whoever a parser says the author is: in
 * `From: "taro@bank.example" <thief@example.com>` a phone shows the first alone.
 *
 * What is found raises a doubt and nothing else: it is no answer to who wrote a message.
 *
 * Time is linear in the text. Pure, any thread, never blocks. */
#ifndef MSA_MAIL_SHOWN_H
#define MSA_MAIL_SHOWN_H

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define SHOWN_ADDRESSES_MAX 32

/* Appends the addresses of the body of a field, each in canonical form with a LF behind
 * it: of words, quoted strings, comments and encoded words (RFC 2047) alike, with wide
 * letters made narrow and invisible ones left out. How many; MSA_ETOOBIG beyond
 * SHOWN_ADDRESSES_MAX, MSA_ENOMEM, or the buffer's error. */
int shown_addresses(struct view body, struct buf *out);

#endif
