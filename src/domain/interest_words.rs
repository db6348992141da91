//! Words of interests: their status, and the choices of an intake.

use super::words::words;

words! {
    /// The status of an interest.
    InterestStatus {
        /// The operator works on it.
        Submitted "submitted",
        /// A redemption came of it.
        Converted "converted",
        /// The operator closed it without a redemption.
        Closed "closed",
    }
}

words! {
    /// The occasion of a member's plan.
    Occasion {
        /// A birthday.
        Birthday "BIRTHDAY",
        /// An anniversary.
        Anniversary "ANNIVERSARY",
        /// An engagement.
        Engagement "ENGAGEMENT",
        /// A wedding.
        Wedding "WEDDING",
        /// A graduation.
        Graduation "GRADUATION",
        /// A promotion.
        Promotion "PROMOTION",
        /// A business occasion.
        Business "BUSINESS",
        /// Another one.
        Other "OTHER",
    }
}

words! {
    /// How a member wants to be contacted.
    ContactMethod {
        /// In the conversation.
        AppChat "APP_CHAT",
        /// By text message.
        Sms "SMS",
        /// By email.
        Email "EMAIL",
        /// By a call.
        Phone "PHONE",
    }
}

words! {
    /// When a member wants to be contacted.
    ContactWindow {
        /// In the morning.
        Morning "MORNING",
        /// In the afternoon.
        Afternoon "AFTERNOON",
        /// In the evening.
        Evening "EVENING",
        /// At any time.
        Anytime "ANYTIME",
    }
}
