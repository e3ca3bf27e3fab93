"""Thieves: the published incidents in other proportions, and what a thief would do who had read our rules.

Each kind is a function (world, log, rng, account, t) that writes the abuse from `t` on. The owner goes on as before,
beside it. Rates are assumptions."""

import math

from world import EUROPE, FAR, HOME, Bot, Exit, HopperV6, Phone, Place

HOUR = 3600.0
DAY = 86400.0
KINDS = {}


def kind(weight, quiet=False, is_new=False):
    """`quiet`: made to stay below rules. `is_new`: the account is the thief's own."""
    def note(fn):
        KINDS[fn.__name__.replace("_", "-")] = (weight, fn, quiet, is_new)
        return fn
    return note


def spam(rng):
    return max(1, min(30, int(rng.gauss(11, 7))))


def random_sender(rng):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(9)) + "@example.jp"


def botnet(world, log, rng, account, t, countries, hours, mails, mfrom=None, per_login=2, size=None):
    """Mails from bots of many countries, in bursts with pauses."""
    bots = [Bot(world, rng.choice(countries)) for _ in countries] if size is None else \
        [Exit(world, rng, rng.choice(countries), world.carrier(rng, rng.choice(countries)).network(rng))
         for _ in range(size)]
    left, end = mails, t + hours * HOUR
    while left > 0 and t < end:
        n = min(left, rng.randint(1, per_login))
        log.send(rng, t, account, rng.choice(bots), [spam(rng) for _ in range(n)], mfrom=mfrom)
        left -= n
        t += rng.expovariate(mails / per_login / (hours * HOUR)) if rng.random() > 0.01 else rng.uniform(1, 4) * HOUR


# ---- published ------------------------------------------------------------------------------------------------


@kind(10)
def okayama_many_countries(world, log, rng, account, t):
    """4 to 31 countries, the account's own MAIL FROM."""
    botnet(world, log, rng, account, t, rng.sample(FAR, rng.randint(4, 31)), rng.uniform(3, 20), rng.randint(200, 900))


@kind(5)
def okayama_random_senders(world, log, rng, account, t):
    botnet(world, log, rng, account, t, rng.sample(FAR, rng.randint(12, 31)), 10, rng.randint(300, 900), random_sender)


@kind(5)
def okayama_one_country(world, log, rng, account, t):
    """One country, 300 addresses."""
    botnet(world, log, rng, account, t, [rng.choice(FAR)], 12, rng.randint(300, 1000))


@kind(4)
def okayama_same_connection(world, log, rng, account, t):
    """Hundreds of mails in a connection."""
    for country in rng.sample(FAR, rng.randint(1, 6)):
        t = log.send(rng, t, account, Bot(world, country), [spam(rng) for _ in range(rng.randint(100, 400))],
                     mfrom=random_sender) + rng.uniform(60, 3 * HOUR)


@kind(4)
def ocn_fifty_countries(world, log, rng, account, t):
    botnet(world, log, rng, account, t, FAR[:50], 24, rng.randint(500, 1500))


@kind(5)
def ocn_ten_countries_a_day(world, log, rng, account, t):
    botnet(world, log, rng, account, t, rng.sample(FAR, 10), 24, rng.randint(60, 200))


@kind(6)
def ocn_instant_travel(world, log, rng, account, t):
    """One machine far away, at the same time as the owner."""
    place = Exit(world, rng, rng.choice(FAR))
    for _ in range(rng.randint(30, 90)):
        t = log.send(rng, t, account, place, [spam(rng)]) + rng.uniform(60, 500)


@kind(5)
def a_b_a_b(world, log, rng, account, t):
    pair = [Bot(world, c) for c in rng.sample(FAR, 2)]
    for n in range(rng.randint(100, 300)):
        t = log.send(rng, t, account, pair[n % 2], [spam(rng)]) + rng.uniform(30, 300)


@kind(5)
def nifty_guessed(world, log, rng, account, t):
    """Passwords are tried for hours, one fits, then mail from elsewhere."""
    guesser, sender = Exit(world, rng, rng.choice(FAR)), Exit(world, rng, rng.choice(FAR))
    for n in range(rng.randint(50, 200)):
        log.fail(rng, t - 3 * HOUR + n * 20, account, guesser)
    log.login(rng, t, account, guesser)
    t += rng.uniform(0.1, 10) * HOUR
    for _ in range(rng.randint(20, 60)):
        t = log.send(rng, t, account, sender, [spam(rng) for _ in range(rng.randint(1, 10))]) + rng.uniform(30, 600)


@kind(10, is_new=True)
def iij_throwaway(world, log, rng, account, t):
    """Signs up, and sends as fast as it goes, at home."""
    place = Place(world, rng, HOME)
    for _ in range(rng.randint(40, 120)):
        t = log.send(rng, t, account, place, [rng.randint(2, 15) for _ in range(rng.randint(1, 8))]) + rng.uniform(10, 400)


@kind(4)
def iij_address_hopping(world, log, rng, account, t):
    """Another address at home for every mail, and another sender."""
    bot = Bot(world, HOME)
    for _ in range(rng.randint(200, 600)):
        t = log.send(rng, t, account, bot, [spam(rng)], mfrom=random_sender) + rng.uniform(20, 200)


# ---- made to stay below -----------------------------------------------------------------------------------------


@kind(5, quiet=True)
def drip(world, log, rng, account, t):
    """Twenty recipients an hour from one machine abroad, for two days."""
    place = Exit(world, rng, rng.choice(FAR))
    for _ in range(48):
        log.send(rng, t + rng.uniform(0, 3000), account, place, [rng.randint(8, 10), rng.randint(8, 10)], gap_s=300)
        t += HOUR


@kind(5, quiet=True)
def next_door(world, log, rng, account, t):
    """Residential proxies of the owner's country, one to three networks, at night."""
    places = [Place(world, rng, HOME) for _ in range(rng.randint(1, 3))]
    t = math.floor(t / DAY) * DAY + 16 * HOUR  # an hour past midnight in Japan
    for _ in range(rng.choice((1, 2))):
        at = t
        while at < t + 5 * HOUR:
            at = log.send(rng, at, account, rng.choice(places), [spam(rng) for _ in range(rng.randint(1, 4))])
            at += rng.uniform(30, 600)
        t += DAY


@kind(4, quiet=True)
def bots_next_door(world, log, rng, account, t):
    """A botnet at home, one mail for each address, the account's own sender, one every quarter of an hour."""
    bot = Bot(world, HOME)
    for _ in range(rng.randint(100, 250)):
        t = log.send(rng, t, account, bot, [spam(rng)]) + rng.uniform(300, 1500)


@kind(5, quiet=True)
def reads_too(world, log, rng, account, t):
    """Fetches mail as well, from the same machine or from another one of his."""
    country = rng.choice(FAR)
    place = Exit(world, rng, country)
    reader = place if rng.random() < 0.5 else Exit(world, rng, country)
    for _ in range(rng.randint(60, 150)):
        if rng.random() < 0.3:
            log.read(rng, t, account, reader)
        t = log.send(rng, t + 5, account, place, [spam(rng) for _ in range(rng.randint(1, 4))]) + rng.uniform(30, 400)


@kind(2, quiet=True)
def reads_in_many_countries(world, log, rng, account, t):
    """The same with proxies of many countries, and each of them reads first."""
    places = [Exit(world, rng, country) for country in rng.sample(FAR, rng.randint(4, 12))]
    for _ in range(rng.randint(80, 200)):
        place = rng.choice(places)
        log.read(rng, t, account, place)
        t = log.send(rng, t + 5, account, place, [spam(rng)]) + rng.uniform(30, 400)


@kind(4, quiet=True)
def one_message(world, log, rng, account, t):
    """Five hundred recipients in one message, and again hours later."""
    place = Exit(world, rng, rng.choice(FAR))
    for _ in range(rng.randint(1, 5)):
        t = log.send(rng, t, account, place, [rng.choice((300, 500, 500, 1000))]) + rng.uniform(1, 6) * HOUR


@kind(3, quiet=True)
def one_connection(world, log, rng, account, t):
    """Hundreds of mails over a connection that stays open."""
    log.send(rng, t, account, Exit(world, rng, rng.choice(FAR)), [spam(rng) for _ in range(rng.randint(200, 600))],
             gap_s=rng.choice((1, 10, 60)))


@kind(4, quiet=True, is_new=True)
def paid_account(world, log, rng, account, t):
    """His own account, ten mails a day at first, then more."""
    place = rng.choice((Place(world, rng, HOME), Exit(world, rng, rng.choice(FAR))))
    for n in range(4):
        log.send(rng, t + n * DAY, account, place, [rng.randint(5, 9) for _ in range(8)], gap_s=200)
        if n > 0:
            log.send(rng, t + n * DAY + HOUR, account, place, [rng.randint(10, 30) for _ in range(120)], gap_s=20)


@kind(5, quiet=True)
def tests_first(world, log, rng, account, t):
    """Signs in once or on two days and looks whether it works; later the run, from there and from elsewhere."""
    place = Exit(world, rng, rng.choice(FAR))
    for _ in range(rng.choice((1, 2))):
        log.login(rng, t, account, place)
        t += DAY * rng.uniform(0.7, 1)
    for _ in range(rng.randint(30, 100)):
        t = log.send(rng, t, account, place, [spam(rng) for _ in range(rng.randint(1, 5))]) + rng.uniform(20, 400)


@kind(3, quiet=True)
def two_thieves(world, log, rng, account, t):
    """Bought twice: a botnet and a man with one machine."""
    botnet(world, log, rng, account, t, rng.sample(FAR, 3), 12, rng.randint(80, 200))
    ocn_instant_travel(world, log, rng, account, t + rng.uniform(0, 6) * HOUR)


@kind(3, quiet=True)
def hops_in_one_48(world, log, rng, account, t):
    """A datacentre's IPv6: another /64 for every connection, one /48."""
    place = HopperV6(world, rng, rng.choice((HOME, *FAR)))
    for _ in range(rng.randint(80, 250)):
        t = log.send(rng, t, account, place, [spam(rng)]) + rng.uniform(20, 300)


@kind(3, quiet=True)
def pauses(world, log, rng, account, t):
    """A burst, hours of silence, the next from another country."""
    for country in rng.sample(FAR, 6):
        t = log.send(rng, t, account, Bot(world, country), [spam(rng) for _ in range(rng.randint(5, 20))])
        t += rng.uniform(5, 9) * HOUR


@kind(3, quiet=True)
def few_bots(world, log, rng, account, t):
    """Some machines in one foreign country, a mail or two each hour."""
    botnet(world, log, rng, account, t, [rng.choice(FAR)], 40, rng.randint(60, 120), per_login=1, size=rng.randint(3, 8))


@kind(2, quiet=True)
def datacentre_next_door(world, log, rng, account, t):
    """A rented machine at home, random senders, day and night."""
    place = Exit(world, rng, HOME)
    for _ in range(rng.randint(60, 200)):
        t = log.send(rng, t, account, place, [spam(rng) for _ in range(rng.randint(1, 3))], mfrom=random_sender)
        t += rng.uniform(60, 600)


@kind(2, quiet=True)
def mobile_thief(world, log, rng, account, t):
    """A phone on a card of a foreign country, or of the owner's."""
    phone = Phone(world, rng, rng.choice((HOME, rng.choice(EUROPE), rng.choice(FAR))), keeps_s=600)
    for _ in range(rng.randint(60, 200)):
        t = log.send(rng, t, account, phone, [spam(rng)]) + rng.uniform(60, 400)


def spray(world, log, rng, accounts, t):
    """Nifty: one address tries many names with few passwords; those that fit are used later. Returns when each was."""
    guesser = Exit(world, rng, rng.choice(FAR))
    for n in range(60 * len(accounts)):
        log.fail(rng, t + 4 * n, f"{random_sender(rng)}", guesser)
    begins = {}
    for account in accounts:
        begins[account] = t + rng.uniform(0, 240 * len(accounts))
        log.login(rng, begins[account], account, guesser)
        start = begins[account] + rng.uniform(1, 12) * HOUR
        botnet(world, log, rng, account, start, rng.sample(FAR, rng.randint(1, 6)), 10, rng.randint(100, 400))
    return begins
