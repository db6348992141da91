//! Enums of words, each with its name on the wire and in the database.

macro_rules! words {
    (
        $(#[$about:meta])+
        $name:ident {
            $($(#[$about_word:meta])+ $word:ident $text:literal,)+
        }
    ) => {
        $(#[$about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$about_word])+ $word,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$word),+];

            /// The name on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)+ }
            }

            /// Reads the name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$word),)+ _ => None }
            }
        }
    };
}

pub(super) use words;
