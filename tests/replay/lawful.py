"""Lawful people, among them all whom rules against thieves could mistake for one.

Each kind is a function (world, log, rng, account, span) that writes one account's days into the log. Kinds and rates
are assumptions; what each is there for stands in its first line."""

from world import EUROPE, FAR, HOME, TRAVEL, Bot, Exit, HouseV6, Phone, PhoneV6, Place

DAY = 86400.0
HOUR = 3600.0
KINDS = {}


class Span:
    """The days of a trace. The first begins at midnight in Japan."""

    def __init__(self, begin, days):
        self.begin, self.days = begin, days

    def end(self):
        return self.begin + self.days * DAY

    def each_day(self):
        return [self.begin + n * DAY for n in range(self.days)]


def kind(weight):
    def note(fn):
        KINDS[fn.__name__.replace("_", "-")] = (weight, fn)
        return fn
    return note


def few(rng):
    """Recipients of an ordinary mail."""
    return min(40, 1 + int(rng.expovariate(0.9))) if rng.random() < 0.97 else rng.randint(8, 40)


def waking(rng, day, shift_h=0.0):
    return day + (min(max(rng.gauss(14, 4), 6.5), 23.9) + shift_h) * HOUR


def day_of(log, rng, account, day, places, sends=2.3, reads=8, shift_h=0.0):
    """A day of somebody who reads where he sends: a mail program asks for mail when it sends some."""
    for _ in range(int(rng.expovariate(1 / reads)) if reads else 0):
        log.read(rng, waking(rng, day, shift_h), account, rng.choice(places))
    for _ in range(int(rng.expovariate(1 / sends))):
        t, place = waking(rng, day, shift_h), rng.choice(places)
        if reads and rng.random() < 0.9:
            log.read(rng, t - rng.uniform(1, 600), account, place)
        log.send(rng, t, account, place, [few(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))])


def usual_places(world, rng, country=HOME):
    house = HouseV6(world, rng, country) if rng.random() < 0.3 else Place(world, rng, country,
                                                                        keeps_address=rng.random() < 0.8)
    places = [house, Place(world, rng, country)]
    if rng.random() < 0.5:
        places.append(rng.choice((Phone, PhoneV6))(world, rng, country, keeps_s=rng.choice((900, 3600, 14400))))
    return places


@kind(600)
def ordinary(world, log, rng, account, span):
    """A house, an office, perhaps a phone; POP or IMAP."""
    places = usual_places(world, rng)
    for day in span.each_day():
        day_of(log, rng, account, day, places)


@kind(60)
def webmail_reader(world, log, rng, account, span):
    """Sends through us, reads on the web: no mailbox access is ever reported."""
    places = usual_places(world, rng)
    for day in span.each_day():
        day_of(log, rng, account, day, places, reads=0)


@kind(30)
def family(world, log, rng, account, span):
    """One address for the house, everybody at home at night."""
    place = Place(world, rng, HOME)
    for day in span.each_day():
        day_of(log, rng, account, day, [place], sends=1.5)


@kind(12)
def company_invoices(world, log, rng, account, span):
    """A program in the office sends invoices, one by one, on two days; people read beside it or elsewhere."""
    place = Place(world, rng, HOME)
    reads = rng.random() < 0.5
    runs = rng.sample(span.each_day(), min(2, span.days))
    for day in span.each_day():
        day_of(log, rng, account, day, [place], sends=4, reads=6 if reads else 0)
        if day in runs:
            t = day + 10 * HOUR
            for _ in range(rng.randint(5, 12)):
                t = log.send(rng, t, account, place, [1] * rng.randint(10, 40), gap_s=6) + rng.uniform(10, 60)


@kind(8)
def announcer(world, log, rng, account, span):
    """A newsletter, hundreds of recipients in one message, from home."""
    places = usual_places(world, rng)
    for day in span.each_day():
        day_of(log, rng, account, day, places)
    for day in rng.sample(span.each_day(), min(2, span.days)):
        t = waking(rng, day)
        log.read(rng, t - 300, account, places[0])
        log.send(rng, t, account, places[0], [rng.randint(200, 1500)])


@kind(4)
def announcer_with_verp(world, log, rng, account, span):
    """A list program: each recipient gets a sender address of his own."""
    place = Exit(world, rng, HOME)
    for day in span.each_day():
        for _ in range(rng.randint(0, 2)):
            log.send(rng, waking(rng, day), account, place, [1] * rng.randint(20, 120), gap_s=1,
                     mfrom=lambda r: f"news+{r.randrange(10**6)}@list.example.jp", hfrom=lambda r: account)


@kind(10)
def device(world, log, rng, account, span):
    """A scanner or a monitor: one network, day and night, reads nothing."""
    place = Place(world, rng, HOME)
    every_s = rng.choice((600, 1800, 3600))
    t = span.begin + rng.uniform(0, every_s)
    while t < span.end():
        log.send(rng, t, account, place, [rng.choice((1, 1, 1, 2))])
        t += every_s * rng.uniform(0.7, 1.3)


@kind(3)
def devices_of_branches(world, log, rng, account, span):
    """One account in the scanners of all branches, some of them abroad: fixed networks, reads nothing."""
    places = [Place(world, rng, country) for country in [HOME, *rng.sample(TRAVEL, rng.choice((1, 2)))]]
    for place in places:
        for day in span.each_day():
            for _ in range(rng.randint(2, 10)):
                log.send(rng, waking(rng, day), account, place, [1])


@kind(2)
def cloud_relay(world, log, rng, account, span):
    """A company whose mail leaves through a cloud's datacentres in two or three countries, for all its people."""
    places = [Exit(world, rng, country) for country in (HOME, "SG", "HK")[:rng.choice((2, 3))] for _ in range(2)]
    staff = [f"p{n}@company.example.jp" for n in range(rng.randint(3, 15))]
    for day in span.each_day():
        for _ in range(rng.randint(30, 150)):
            log.send(rng, waking(rng, day), account, rng.choice(places), [few(rng)], mfrom=lambda r: r.choice(staff))


@kind(16)
def student_abroad(world, log, rng, account, span):
    """Lives in one foreign country: a room, a campus, a phone. Reads by IMAP."""
    country = rng.choice(TRAVEL)
    places = [Place(world, rng, country), Place(world, rng, country), Phone(world, rng, country)]
    for day in span.each_day():
        day_of(log, rng, account, day, places, shift_h=rng.choice((-8, 0, 6)))


@kind(8)
def expat_on_the_web(world, log, rng, account, span):
    """Lives abroad and never comes home; reads on the web, so nobody reports it."""
    country = rng.choice(FAR)
    places = [Place(world, rng, country), Place(world, rng, country)]
    for day in span.each_day():
        day_of(log, rng, account, day, places, sends=3, reads=0)


@kind(6)
def commuter(world, log, rng, account, span):
    """Europe by train: four countries in a day, mail is read on the way, in phone networks and in WLANs."""
    house = Place(world, rng, "NL")
    for day in span.each_day():
        if rng.random() < 0.5:
            day_of(log, rng, account, day, [house])
            continue
        t = day + 7 * HOUR
        for country in ["NL", *rng.sample([c for c in EUROPE if c != "NL"], 3)]:
            place = rng.choice((Phone, Place))(world, rng, country)
            for _ in range(rng.randint(2, 4)):
                t += rng.uniform(0.2, 1) * HOUR
                log.read(rng, t, account, place)
                if rng.random() < 0.5:
                    log.send(rng, t + 60, account, place, [few(rng)])


@kind(20)
def traveller(world, log, rng, account, span):
    """Home, transit, destination within a day, a stay, and back."""
    places = usual_places(world, rng)
    leaves, stays = rng.randrange(1, max(2, span.days - 2)), rng.randint(2, 4)
    hub, goal = rng.sample(TRAVEL, 2)
    hotel, phone = Place(world, rng, goal), Phone(world, rng, goal)
    for n, day in enumerate(span.each_day()):
        if n in (leaves, leaves + stays):
            airport = Place(world, rng, hub)
            for t, place in ((day + 8 * HOUR, places[0] if n == leaves else hotel), (day + 13 * HOUR, airport),
                             (day + 20 * HOUR, hotel if n == leaves else places[0])):
                log.read(rng, t, account, place)
                if rng.random() < 0.7:
                    log.send(rng, t + rng.uniform(60, 900), account, place, [few(rng), few(rng)])
        else:
            away = leaves < n < leaves + stays
            day_of(log, rng, account, day, [hotel, phone] if away else places)


@kind(6)
def organiser(world, log, rng, account, span):
    """Runs an event abroad: from the hotel a message to all who come, and answers; reads in between."""
    places = usual_places(world, rng)
    hotel = Place(world, rng, rng.choice(TRAVEL))
    first = span.days // 2
    for n, day in enumerate(span.each_day()):
        day_of(log, rng, account, day, [hotel] if n >= first else places, sends=5)
        if n == first + 1:
            t = waking(rng, day)
            log.read(rng, t - 400, account, hotel)
            log.send(rng, t, account, hotel, [rng.randint(80, 300) for _ in range(rng.choice((1, 2)))], gap_s=900)


@kind(8)
def offline_burst(world, log, rng, account, span):
    """Wrote on the plane: up to 80 mails leave at once behind the border; the program asks for mail meanwhile."""
    places = usual_places(world, rng)
    lands = rng.randrange(1, span.days)
    hotel = Place(world, rng, rng.choice(TRAVEL) if rng.random() < 0.7 else HOME)
    for n, day in enumerate(span.each_day()):
        day_of(log, rng, account, day, [hotel] if n >= lands else places)
        if n == lands:
            t = day + 6.2 * HOUR
            log.read(rng, t + rng.uniform(-20, 10), account, hotel)
            log.send(rng, t, account, hotel, [few(rng) for _ in range(rng.randint(20, 80))])


@kind(16)
def vpn_reader(world, log, rng, account, span):
    """Another exit for nearly every use, reads and sends through it."""
    countries = [HOME, *rng.sample(FAR, rng.randint(2, 6))]
    exits = [Exit(world, rng, c) for c in countries for _ in range(2)]
    for day in span.each_day():
        for _ in range(rng.randint(2, 7)):
            t, place = waking(rng, day), rng.choice(exits)
            log.read(rng, t, account, place)
            if rng.random() < 0.5:
                log.send(rng, t + rng.uniform(5, 900), account, place, [few(rng)])


@kind(6)
def vpn_silent(world, log, rng, account, span):
    """The same, but reads on the web."""
    countries = [HOME, HOME, *rng.sample(FAR, rng.randint(1, 4))]
    exits = [Exit(world, rng, c) for c in countries for _ in range(2)]
    for day in span.each_day():
        for _ in range(rng.randint(0, 4)):
            log.send(rng, waking(rng, day), account, rng.choice(exits), [few(rng)])


@kind(20)
def privacy_addresses(world, log, rng, account, span):
    """IPv6: a new address each hour, always of one /64."""
    house = HouseV6(world, rng, HOME)
    for day in span.each_day():
        day_of(log, rng, account, day, [house], sends=5)


@kind(30)
def phone_reader(world, log, rng, account, span):
    """Only a phone: tens of /24 a day."""
    phone = rng.choice((Phone, PhoneV6))(world, rng, HOME, keeps_s=rng.choice((300, 900, 1800)))
    for day in span.each_day():
        day_of(log, rng, account, day, [phone], sends=5, reads=16)


@kind(12)
def phone_silent(world, log, rng, account, span):
    """Only a phone, and its mail comes by push through somebody else: many networks, nothing is read."""
    phone = rng.choice((Phone, PhoneV6))(world, rng, HOME, keeps_s=rng.choice((300, 900, 1800)))
    for day in span.each_day():
        day_of(log, rng, account, day, [phone], sends=5, reads=0)
        if rng.random() < 0.2:  # a conversation
            t = waking(rng, day)
            for _ in range(rng.randint(4, 9)):
                log.send(rng, t, account, phone, [rng.randint(1, 3)])
                t += rng.uniform(120, 600)


@kind(6)
def dual_sim(world, log, rng, account, span):
    """Abroad with two cards: the foreign one, and the home carrier's roaming that leaves the internet at home."""
    goal = rng.choice(TRAVEL)
    cards = [Phone(world, rng, HOME), Phone(world, rng, goal), Place(world, rng, goal)]
    for day in span.each_day():
        day_of(log, rng, account, day, cards, sends=3, reads=16)


@kind(20)
def stale_password(world, log, rng, account, span):
    """A forgotten tablet behind the house's address tries the old password every few minutes."""
    places = usual_places(world, rng)
    every_s = rng.choice((300, 900, 3600))
    t = span.begin + rng.uniform(0, every_s)
    while t < span.end():
        log.fail(rng, t, account, places[0])
        t += every_s * rng.uniform(0.9, 1.1)
    for day in span.each_day():
        day_of(log, rng, account, day, places)


@kind(10)
def password_changed(world, log, rng, account, span):
    """On one day the password is changed: each device fails until somebody types the new one."""
    places = usual_places(world, rng)
    changed = rng.choice(span.each_day())
    for day in span.each_day():
        day_of(log, rng, account, day, places)
    for place in places:
        t = changed + rng.uniform(9, 12) * HOUR
        for _ in range(rng.randint(3, 30)):
            log.fail(rng, t, account, place)
            t += rng.uniform(20, 300)


@kind(20)
def new_subscriber(world, log, rng, account, span):
    """A new account of somebody ordinary: below the limits that the contract says."""
    places = usual_places(world, rng)
    for day in span.each_day()[1:]:
        for _ in range(rng.randint(0, 4)):
            t, place = waking(rng, day), rng.choice(places[:2])
            log.read(rng, t - 60, account, place)
            log.send(rng, t, account, place, [min(few(rng), 12)])


@kind(6)
def guessed_in_vain(world, log, rng, account, span):
    """A dictionary against the account, from many machines, for a day. Nobody gets in."""
    places = usual_places(world, rng)
    for day in span.each_day():
        day_of(log, rng, account, day, places)
    t = rng.uniform(span.begin, span.end() - DAY)
    bots = [Bot(world, rng.choice(FAR)) for _ in range(5)]
    for _ in range(rng.randint(100, 300)):
        log.fail(rng, t, account, rng.choice(bots))
        t += rng.uniform(20, 400)
