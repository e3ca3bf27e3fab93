/* MSA_ASSERT: a broken invariant is our own bug. The process aborts and keeps a core, the
 * supervisor starts it anew. Never used on anything that came from outside. */
#ifndef MSA_BASE_ASSERT_H
#define MSA_BASE_ASSERT_H

_Noreturn void msa_assert_failed(const char *expr, const char *file, int line);

#define MSA_ASSERT(expr) ((expr) ? (void)0 : msa_assert_failed(#expr, __FILE__, __LINE__))

#endif
