/* Keys for tests of DKIM; the first is that of RFC 8463 appendix A.1. */
#ifndef TESTS_UNIT_DKIM_KEYS_H
#define TESTS_UNIT_DKIM_KEYS_H

#define DKIM_TEST_ED25519                                                                          \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"                          \
    "-----END PRIVATE KEY-----\n"

#define DKIM_TEST_RSA_1024                                                                         \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBALNIWTl0uUplHMS9\n"                           \
    "lHMMxsKx/aMGa5g6nb25lMP3Ana//R1YVOBtKJIwDY11/rYrxPQwOb04YLdvCwfl\n"                           \
    "kWcWZs99G+1ZuNQ7ET4Ozb+Jv4cGI8s4D6t6AK/B6aujey4JX3+jXpU1pkEB5Tdk\n"                           \
    "epdzmKhdagzP2VG5pvgSiqcsY0XpAgMBAAECgYBkBM7SQQ5GNNax49n3vX79i3Mn\n"                           \
    "CiPoj3sFJ42ZLirPuRgq0Oa5NezWcbx92QA6/XwphuYPbG54p5iN1UMjMdo0pFKc\n"                           \
    "e2xYFkWpIw39mtNlAI9dJCfmH5sCThJPNwLKqpb+/XA3nlpkm64rb4NID0OkTnEk\n"                           \
    "Tnm7cUoWpobuDE46IQJBANnoDk6pdK28pDu/nrg6+aR1LnR39/HD6Txtl2k2sHhR\n"                           \
    "UcqNNeAuF10ZHSgvTFgeDBaieutXKDZ03KBX24IoYn0CQQDSn8NxHNH1DpZDM8Pp\n"                           \
    "qsFdAJdyLqwZh+tip0VpvV82DFyPWLIlsGFkP8rhGPs9rYfUo9dowh4CJEk7zB34\n"                           \
    "M0DdAkEAla91nI2FLA9ole6EfjNs547jcXgzpy0X273Ag7LguFXMJKKp/qxKulYV\n"                           \
    "FFShUeqaDTZhz6YYZogSQkb378oEFQJBAMZffLcjOshAtduTfLiuf7H1Za5AMQ1W\n"                           \
    "y6a9/o1ps6v3FpJYKml+5yuBPbamTbM4pk7rBW4ALj08KdFtHOjwdO0CQQDZKYgz\n"                           \
    "j8Zf9DnJrjKApfKpdP/Lh0bbby8VooOW2iDh0ldvarn8VUQqT8qDujj1sR6tsuMF\n"                           \
    "GmO+BWysbYW6h608\n"                                                                           \
    "-----END PRIVATE KEY-----\n"

#define DKIM_TEST_RSA_768                                                                          \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIIB5AIBADANBgkqhkiG9w0BAQEFAASCAc4wggHKAgEAAmEAoZbqopCdEafSlUg+\n"                           \
    "l7Rm3cxU820Gtlu1E0BNxUejLCGomJoIcBGgdUBPewMnratXZToy2VeDEdcsEMOL\n"                           \
    "GGQPzM4mT4GcGb4bTvs/spnG1BP4DTpjs/jY8TgNsf3qC7J9AgMBAAECYFF4F2BS\n"                           \
    "7P4D0OY3AGfYKqzU4lfAtkumvQqxtwQp9BjB95DIyExIds/m1qu8kXq8EYzm8mDC\n"                           \
    "WeEk509PetbawaZes3FCdVIKuX2h05M1ndP1uy6BtvW0GtWTd0XdYJOauQIxANGk\n"                           \
    "2JKDk7kMB9SsoZXNyUnx+aqZT7/8h9X6hzhP0Sv4SSG7ruxu2eNX8lTtZT5tXwIx\n"                           \
    "AMVR5CBU4gpJoJGCevKXU0FTwQtRRnlV4u4zNfuO3Betu/8HGeBK4RaotEMaye9R\n"                           \
    "owIwQCCrus2Sz2T1tEGGP/ut2fexxlSVR4XoyzSSTlBkDI4rWK0/icUy008gqoff\n"                           \
    "k2QDAjBmhK+j5LY0ZiCYuVQrqlfFP0CzIp0c+XSYEd9gPc84NjnQvN3C3OSpoylV\n"                           \
    "HBwCzUUCMQCK+yf2jHbVEGECSi6Tsbbom4CHPTL0ONRBcTt/xnShXENmFee0o/gS\n"                           \
    "7KgMWUAS/88=\n"                                                                               \
    "-----END PRIVATE KEY-----\n"

#define DKIM_TEST_EC                                                                               \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJZJaaH9bSoK3sUT6\n"                           \
    "Y06MiLNDdtO1eWlJX+xF2uqcJcShRANCAARoEVQqX3nq8FHzgn4wG84zvj9VJZUt\n"                           \
    "wTY5u0/TX6ORZVC2H6BcUoKW9WHCXqfG28c0oraSEqrTzKTOXXAS7iLE\n"                                   \
    "-----END PRIVATE KEY-----\n"

#define DKIM_TEST_ENCRYPTED                                                                        \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                      \
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAja9JWh5ITpDwICCAAw\n"                           \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEENxp1lY/tmTQTd4otO8QmoEQCFM\n"                           \
    "fTk/Wh3l4hVAjxPMGyVFP9IL/gNf/P6krafPpVlK99bxYkkPYQuELDPrUNcwfdgh\n"                           \
    "UwODhR2gWKMAMxoeS88=\n"                                                                       \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

#endif
