/* Error codes of the environment and of hostile input.
 *
 * Functions return 0 (MSA_OK) or one of these negative values. A peer's mistake is answered with a
 * reply, not with an error code; a bug of ours is MSA_ASSERT. Look-ups return FOUND, NOT_FOUND or
 * RETRY instead, so that a broken store never looks like "no such thing". */
#ifndef MSA_BASE_ERR_H
#define MSA_BASE_ERR_H

enum msa_err {
    MSA_OK = 0,
    MSA_ENOMEM = -1,   /* allocation failed */
    MSA_EINVAL = -2,   /* the input breaks its grammar */
    MSA_ETOOBIG = -3,  /* a documented limit is exceeded */
    MSA_EIO = -4,      /* read, write or sync failed; errno was logged where it happened */
    MSA_EFULL = -5,    /* no space: disk, map, table or queue */
    MSA_ETIMEOUT = -6, /* a deadline passed */
    MSA_ECLOSED = -7,  /* the other side is gone */
    MSA_EEXIST = -8,   /* already there */
    MSA_ENOENT = -9,   /* not there */
    MSA_EACCESS = -10, /* not permitted */
    MSA_EAGAIN = -11,  /* cannot be done now, try again */
    MSA_EPROTO = -12,  /* a peer broke the protocol */
    MSA_ECORRUPT = -13, /* stored data does not decode */
};

/* Result of a look-up. */
enum msa_lookup {
    MSA_FOUND = 1,
    MSA_NOT_FOUND = 0,
    MSA_RETRY = -1, /* the store cannot answer now */
};

/* A short English text for `err`; never NULL. */
const char *msa_strerror(int err);

#endif
