//! The programs of the demo, their offers, and the amount of activity in each.

/// A program and its size over the whole history.
#[derive(Debug)]
pub(super) struct Cast {
    /// The name of the program and its organization.
    pub(super) name: &'static str,
    /// Name and symbol of the points.
    pub(super) currency: (&'static str, &'static str),
    /// The dollars that a point is worth.
    pub(super) rate_per_point: f64,
    /// The legal documents that it publishes at the start: the type and the HTML.
    pub(super) terms: &'static [(&'static str, &'static str)],
    /// The start of the program, as a share of the history.
    pub(super) starts: f64,
    /// The share of activity that is spread over all hours, the night included.
    pub(super) at_any_hour: f64,
    /// Number of members who join.
    pub(super) sign_ups: f64,
    /// Number of visits to the app.
    pub(super) visits: f64,
    /// Number of credits.
    pub(super) credits: f64,
    /// Number of attempts to redeem an offer.
    pub(super) bookings: f64,
    /// Reasons for credits, each with the least and the most points.
    pub(super) earnings: &'static [(&'static str, u32, u32)],
    /// How it comes to keep its points in lots, if it does.
    pub(super) lots: Option<Lots>,
    /// The offers, at most 32.
    pub(super) offers: &'static [Offer],
}

/// How a program comes to keep its points in lots, so that points mature and expire.
#[derive(Debug)]
pub(super) struct Lots {
    /// The time from which it does, as a share of its history.
    pub(super) from: f64,
    /// The life of points from then on, a period.
    pub(super) life: &'static str,
    /// How many days before they expire this is announced.
    pub(super) notice: i64,
    /// The reason of the credits whose points become available later.
    pub(super) delayed: &'static str,
    /// How many days later.
    pub(super) days: u32,
}

/// An offer; times are shares of the program's own history.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) title: &'static str,
    pub(super) kind: &'static str,
    pub(super) price: u32,
    /// The tiers that may redeem it; empty for all.
    pub(super) tiers: &'static [&'static str],
    pub(super) pieces: Option<u32>,
    /// The time it is published.
    pub(super) from: f64,
    /// The time from which it is available, if that is later.
    pub(super) begins: Option<f64>,
    /// The time it expires.
    pub(super) until: Option<f64>,
    /// Whether a member may redeem it again once it is completed.
    pub(super) is_repeatable: bool,
    /// Further fields, as a JSON object.
    pub(super) details: &'static str,
}

/// The tiers, and the points that a member has to earn for each.
pub(super) const TIERS: [(&str, i64); 3] = [("standard", 0), ("silver", 3_000), ("gold", 7_000)];

const fn offer(title: &'static str, kind: &'static str, price: u32) -> Offer {
    Offer {
        title,
        kind,
        price,
        tiers: &[],
        pieces: None,
        from: 0.0,
        begins: None,
        until: None,
        is_repeatable: false,
        details: "{}",
    }
}

impl Offer {
    const fn tiers(mut self, tiers: &'static [&'static str]) -> Self {
        self.tiers = tiers;
        self
    }

    const fn pieces(mut self, pieces: u32) -> Self {
        self.pieces = Some(pieces);
        self
    }

    const fn from(mut self, share: f64) -> Self {
        self.from = share;
        self
    }

    const fn begins(mut self, share: f64) -> Self {
        self.begins = Some(share);
        self
    }

    const fn until(mut self, share: f64) -> Self {
        self.until = Some(share);
        self
    }

    const fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    const fn details(mut self, details: &'static str) -> Self {
        self.details = details;
        self
    }
}

/// The program of the first keys. Its hotels are in every time zone and busy enough for an event
/// about every forty seconds, or every minute at night.
pub(super) const MAIN: Cast = Cast {
    name: "Harbour & Pine Hotels",
    currency: ("Harbour Points", "hp"),
    rate_per_point: 0.01,
    terms: HOTEL_TERMS,
    starts: 0.0,
    at_any_hour: 0.85,
    sign_ups: 10_000.0,
    visits: 28_000.0,
    credits: 96_000.0,
    bookings: 19_000.0,
    earnings: &[
        ("hotel stay", 150, 900),
        ("restaurant", 30, 240),
        ("restaurant", 30, 240),
        ("spa visit", 60, 320),
        ("review written", 25, 25),
        ("friend referred", 250, 250),
    ],
    // Points of a stay are available when it can no longer be disputed.
    lots: Some(Lots {
        from: 0.3,
        life: "P6M",
        notice: 14,
        delayed: "hotel stay",
        days: 14,
    }),
    offers: &[
        offer("A coffee on the house", "treat", 120),
        offer("Late check-out", "stay", 450).tiers(&["silver", "gold"]),
        offer("Room upgrade", "stay", 1_800),
        offer("Two tickets to the matinee", "culture", 650).pieces(1_800),
        offer("Dinner at the chef's table", "dining", 2_200)
            .tiers(&["gold"])
            .pieces(800),
        offer("Canvas tote bag", "merchandise", 300),
        offer("A birthday surprise", "treat", 0).from(0.1),
        offer("Sauna evening for two", "wellness", 950)
            .from(0.15)
            .repeatable()
            .details(SAUNA),
        offer("Winter weekend by the fire", "stay", 1_500)
            .from(0.05)
            .until(0.4),
        offer("Boat trip to the islands", "outing", 1_400)
            .from(0.5)
            .pieces(2_400),
        offer("Airport transfer", "travel", 700).from(0.35),
        offer("Cooking class with the chef", "dining", 1_600)
            .from(0.7)
            .pieces(500),
        offer("Lantern night on the terrace", "outing", 800)
            .from(0.97)
            .begins(1.05)
            .until(1.1),
        // The newest: samples of clients redeem the first offer in the list as a new member.
        offer("A welcome drink", "treat", 0).from(0.98),
    ],
};

const SAUNA: &str = r#"{
    "redemptionLimit": {"perMember": 2, "per": "open"},
    "valueUSD": 48.5,
    "maxGuests": 2,
    "disclaimer": "From the age of 16. Please book two days ahead.",
    "inclusions": [
        {"group": "Sauna", "name": "Three hours in the sauna by the water"},
        {"group": "Sauna", "name": "Two bathrobes and towels"},
        {"group": "Refreshments", "name": "A pot of birch tea"}
    ],
    "location": {
        "display": "Pine Spa, Harbour & Pine Hotel, Turku",
        "venue": "Pine Spa",
        "address": "Rantakatu 12",
        "city": "Turku",
        "state": null,
        "countryCode": "FI"
    }
}"#;

const HOTEL_TERMS: &[(&str, &str)] = &[
    (
        "TERMS_OF_SERVICE",
        "<h1>Terms of Harbour Points</h1>\n\
         <p>You collect Harbour Points for stays, meals and spa visits in every hotel of Harbour &amp; \
         Pine, and redeem them for the offers in this app.</p>\n\
         <ul>\n\
         <li>Points have no cash value and cannot be sold or transferred.</li>\n\
         <li>If you cancel a booking before we confirm it, the points come back.</li>\n\
         <li>Three months after you close your account, remaining points are forfeited.</li>\n\
         </ul>\n\
         <p>Harbour &amp; Pine Hotels, Rantakatu 12, Turku</p>\n",
    ),
    (
        "PRIVACY_POLICY",
        "<h1>Privacy at Harbour &amp; Pine</h1>\n\
         <p>We store your name, your email, your points and what you redeemed, in order to run the \
         program. We do not sell any of it.</p>\n\
         <p>Ask any reception to see your data, to correct it or to have it erased.</p>\n",
    ),
];

/// The organizations that the partner adds later.
pub(super) const OTHERS: [Cast; 2] = [
    Cast {
        name: "Corner Street Roasters",
        currency: ("Beans", "beans"),
        rate_per_point: 0.0,
        terms: &[],
        starts: 0.25,
        at_any_hour: 0.0,
        sign_ups: 700.0,
        visits: 5_000.0,
        credits: 8_000.0,
        bookings: 1_100.0,
        earnings: &[("flat white", 8, 12), ("beans to take home", 20, 45)],
        lots: None,
        offers: &[
            offer("Any coffee", "treat", 90),
            offer("A bag of the month's roast", "merchandise", 260),
            offer("Latte art evening", "class", 420)
                .from(0.3)
                .pieces(60),
        ],
    },
    Cast {
        name: "Wheel & Spoke Cycles",
        currency: ("Miles", "mi"),
        rate_per_point: 0.0,
        terms: &[],
        starts: 0.5,
        at_any_hour: 0.0,
        sign_ups: 300.0,
        visits: 2_200.0,
        credits: 2_600.0,
        bookings: 380.0,
        earnings: &[("workshop", 40, 160), ("club ride", 25, 25)],
        lots: None,
        offers: &[
            offer("Chain and brakes checked", "service", 200),
            offer("Bell of polished brass", "merchandise", 150),
            offer("Guided tour of the hills", "outing", 600)
                .from(0.2)
                .pieces(80),
        ],
    },
];

/// The program in the live environment, a pilot.
pub(super) const LIVE: Cast = Cast {
    name: "Harbour & Pine Hotels",
    currency: ("Harbour Points", "hp"),
    rate_per_point: 0.0,
    terms: HOTEL_TERMS,
    starts: 0.85,
    at_any_hour: 0.85,
    sign_ups: 60.0,
    visits: 420.0,
    credits: 520.0,
    bookings: 90.0,
    earnings: &[("hotel stay", 150, 900), ("restaurant", 30, 240)],
    lots: None,
    offers: &[
        offer("A coffee on the house", "treat", 120),
        offer("Room upgrade", "stay", 1_800),
    ],
};

/// The members' names.
pub(super) const FIRST_NAMES: &[&str] = &[
    "Ada",
    "Grace",
    "Linus",
    "Radia",
    "Edsger",
    "Barbara",
    "Dennis",
    "Margaret",
    "Alan",
    "Hedy",
    "Donald",
    "Frances",
    "Ken",
    "Shafi",
    "Tony",
    "Joan",
    "Mary",
    "Leslie",
    "Katherine",
    "Niklaus",
];

/// The members' family names.
pub(super) const LAST_NAMES: &[&str] = &[
    "Abel",
    "Brandt",
    "Castro",
    "Dumont",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Okafor",
    "Pereira",
    "Quinn",
    "Rossi",
    "Sato",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weber",
    "Yilmaz",
];

/// Questions of members about their bookings.
pub(super) const QUESTIONS: &[&str] = &[
    "Could I come a day later?",
    "Is there a vegetarian choice?",
    "May I bring a friend along?",
    "When do I get the confirmation?",
    "Is it accessible with a wheelchair?",
    "Can I give this to my sister?",
    "Where exactly do I have to go?",
    "Do I need to bring anything?",
];

/// Answers of the operator.
pub(super) const ANSWERS: &[&str] = &[
    "Of course. I have noted it on your booking.",
    "Let me ask, I will be back with you today.",
    "Yes, that is all right.",
    "You will find everything in the confirmation, which is on its way.",
    "I am afraid not this time. I can offer you another date.",
    "Gladly. It is arranged.",
];

/// Ratings of bookings, as often as members give them.
pub(super) const RATINGS: &[u8] = &[10, 10, 10, 10, 9, 9, 9, 9, 8, 8, 8, 7, 7, 6, 5, 3, 1];

/// Comments with a rating of 7 or more.
pub(super) const PRAISE: &[&str] = &[
    "Everything was perfect, thank you!",
    "Lovely people, we will be back.",
    "Better than I expected.",
    "Worth every point.",
    "A very nice evening.",
];

/// Comments with a lower rating.
pub(super) const COMPLAINTS: &[&str] = &[
    "We had to wait for half an hour.",
    "Nobody knew about our booking.",
    "Smaller than in the picture.",
    "It took too long to get a date.",
];
