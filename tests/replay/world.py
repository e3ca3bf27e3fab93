"""Addresses and countries of a made-up internet, and the log that its people leave.

Nothing here is drawn from real allocations: a carrier owns a few /16 (and an IPv6 /32), a country a few carriers, and
the log says the country itself. What matters for the rules is only who shares a network with whom and who moves."""

import random

HOME = "JP"
FAR = ("US BR RU CN VN IN ID TH PK BD NG ZA EG TR UA PL RO BG IT ES FR DE NL BE GB IE SE NO FI CZ AT CH HU RS GR IL AE "
       "SA IR KZ MX AR CL CO PE AU NZ SG MY PH KR TW HK KE MA DZ TN CA PT").split()
EUROPE = ("FR BE NL DE CH IT AT CZ PL").split()
TRAVEL = ("US KR TW TH SG FR DE GB AU VN IT CA").split()


class Carrier:
    """Somebody with addresses. A `wide` one hands out a new /24 whenever a phone asks."""

    def __init__(self, world, country):
        self.country = country
        self.blocks = [world.next_block() for _ in range(world.rng.randint(2, 12))]
        self.v6 = world.next_v6_block()

    def network(self, rng):
        return rng.choice(self.blocks) + (rng.randrange(256),)

    def address(self, rng, network=None):
        a, b, c = network or self.network(rng)
        return f"{a}.{b}.{c}.{rng.randint(1, 254)}"

    def v6_subscriber(self, rng):
        """A /48 (or /56) of a household, as text to which a /64 and an interface are added."""
        return f"{self.v6}:{rng.randrange(65536):x}"

    @staticmethod
    def v6_address(rng, site, subnet):
        return f"{site}:{subnet:x}:" + ":".join(f"{rng.randrange(1, 65536):x}" for _ in range(4))


class World:
    def __init__(self, seed):
        self.rng = random.Random(f"world {seed}")
        self.blocks = [(a, b) for a in range(11, 223) for b in range(256) if a not in (100, 127, 169, 172, 192, 198, 203)]
        self.rng.shuffle(self.blocks)
        self.v6_count = 0
        self.country_of_block = {}
        self.carriers = {}
        for country in [HOME, *FAR]:
            carriers = [Carrier(self, country) for _ in range(8 if country == HOME else 4)]
            self.carriers[country] = carriers
        self.datacentres = {country: Carrier(self, country) for country in [HOME, *FAR]}

    def next_block(self):
        return self.blocks.pop()

    def next_v6_block(self):
        self.v6_count += 1
        return f"2{self.v6_count // 4096 + 0x400:03x}:{self.v6_count % 4096:x}"

    def carrier(self, rng, country):
        return rng.choice(self.carriers[country])


class Place:
    """A fixed network that somebody uses: a house, an office, a hotel; its address changes within it now and then."""

    def __init__(self, world, rng, country, carrier=None, keeps_address=True):
        self.country = country
        self.carrier = carrier or world.carrier(rng, country)
        self.network = self.carrier.network(rng)
        self.fixed = self.carrier.address(rng, self.network) if keeps_address else None

    def address(self, rng, _t):
        return self.fixed or self.carrier.address(rng, self.network)


class Phone:
    """A phone in a carrier's shared address space: another /24 every few minutes or hours."""

    def __init__(self, world, rng, country, keeps_s=3600):
        self.country = country
        self.carrier = world.carrier(rng, country)
        self.keeps_s = keeps_s
        self.salt = rng.random()

    def address(self, _rng, t):
        rng = random.Random(f"{self.salt} {int(t // self.keeps_s)}")
        return self.carrier.address(rng)


class PhoneV6(Phone):
    """The same over IPv6: the carrier gives a new /64, at times of a new /48, each time it registers."""

    def address(self, _rng, t):
        rng = random.Random(f"{self.salt} {int(t // self.keeps_s)}")
        return Carrier.v6_address(rng, f"{self.carrier.v6}:{rng.randrange(64):x}", rng.randrange(65536))


class HouseV6:
    """A house with IPv6 and privacy addresses: one /64, a new interface identifier each hour."""

    def __init__(self, world, rng, country):
        self.country = country
        carrier = world.carrier(rng, country)
        self.site, self.subnet, self.salt = carrier.v6_subscriber(rng), rng.randrange(256), rng.random()

    def address(self, _rng, t):
        return Carrier.v6_address(random.Random(f"{self.salt} {int(t // 3600)}"), self.site, self.subnet)


class Exit:
    """A VPN's or proxy's exit, or a machine in a datacentre."""

    def __init__(self, world, rng, country, network=None):
        self.country = country
        self.carrier = world.datacentres[country]
        self.network = network or self.carrier.network(rng)
        self.fixed = self.carrier.address(rng, self.network)

    def address(self, _rng, _t):
        return self.fixed


class Bot:
    """One infected machine of a house somewhere: every use another one."""

    def __init__(self, world, country):
        self.world, self.country = world, country

    def address(self, rng, _t):
        return self.world.carrier(rng, self.country).address(rng)


class HopperV6:
    """A machine in a datacentre that takes another /64 of its /48 for every connection."""

    def __init__(self, world, rng, country):
        self.country = country
        self.site = world.datacentres[country].v6_subscriber(rng)

    def address(self, rng, _t):
        return Carrier.v6_address(rng, self.site, rng.randrange(65536))


class Log:
    """What the servers write. `hides_reading(account)`: that account's mailbox server reports nothing."""

    def __init__(self, hides_reading=None, mailbox_skew_s=0.0):
        self.events = []
        self.sessions = 0
        self.hides_reading = hides_reading or (lambda account: False)
        self.mailbox_skew_s = mailbox_skew_s
        self.wrong_country = None  # (first two numbers of the address, from, to, country)

    def country(self, place, ip, t):
        if self.wrong_country:
            blocks, begin, end, country = self.wrong_country
            if begin <= t < end and tuple(ip.split(".")[:2]) in blocks:
                return country
        return place.country

    def add(self, t, ev, account, place, ip, **more):
        self.events.append((t, {"t": round(t, 3), "ev": ev, "acct": account, "ip": ip,
                                "cc": self.country(place, ip, t), **more}))

    def read(self, rng, t, account, place):
        if not self.hides_reading(account):
            self.add(t + self.mailbox_skew_s, "mra-ok", account, place, place.address(rng, t))

    def fail(self, rng, t, account, place):
        self.add(t, "auth-fail", account, place, place.address(rng, t))

    def login(self, rng, t, account, place):
        self.sessions += 1
        self.add(t, "auth-ok", account, place, place.address(rng, t), sess=f"s{self.sessions:07}")

    def send(self, rng, t, account, place, mails, mfrom=None, hfrom=None, gap_s=2.0):
        """One connection that sends `mails`, a list of how many recipients each has. Returns its end."""
        self.sessions += 1
        sess, ip = f"s{self.sessions:07}", place.address(rng, t)
        self.add(t, "auth-ok", account, place, ip, sess=sess)
        for rcpts in mails:
            t += gap_s * rng.uniform(0.5, 1.5)
            sender = mfrom(rng) if mfrom else account
            self.add(t, "submit", account, place, ip, sess=sess, mfrom=sender, hfrom=hfrom(rng) if hfrom else sender,
                     rcpts=rcpts, size=int(rng.lognormvariate(9.5, 1.3)))
        return t
