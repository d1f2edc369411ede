//! `Objects`: a deserializer that reads structures from JSON objects only, never from arrays of their fields.

use std::fmt;

use serde::Deserializer;
use serde::de::DeserializeSeed;
use serde::de::EnumAccess;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::VariantAccess;
use serde::de::Visitor;

use crate::json::field_name::CaseSensitiveFields;

/// A wrapper of a deserializer that asks for a map where a structure is read. Structures derived by serde can also be
/// read from an array of their fields, which no other reader of these formats does.
pub(super) struct Objects<T>(pub(super) T);

macro_rules! pass_on {
    ($($method:ident($($name:ident: $kind:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* Objects(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    pass_on! {
        deserialize_any(); deserialize_bool(); deserialize_byte_buf(); deserialize_bytes(); deserialize_char();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_f32(); deserialize_f64(); deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64();
        deserialize_i128(); deserialize_identifier(); deserialize_ignored_any(); deserialize_map();
        deserialize_newtype_struct(name: &'static str);
        deserialize_option(); deserialize_seq(); deserialize_str(); deserialize_string();
        deserialize_tuple(length: usize); deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64(); deserialize_u128();
        deserialize_unit(); deserialize_unit_struct(name: &'static str);
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(CaseSensitiveFields { fields, visitor: Objects(visitor) })
    }
}

macro_rules! visit {
    ($($method:ident($kind:ty);)*) => {
        $(fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            self.0.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Objects<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit! {
        visit_bool(bool); visit_borrowed_str(&'de str); visit_f64(f64); visit_i64(i64); visit_i128(i128);
        visit_str(&str); visit_string(String); visit_u64(u64); visit_u128(u128);
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Objects(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Objects(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Objects(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Objects(fields))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Objects(data))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Objects(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<A> {
    type Error = A::Error;
    type Variant = Objects<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (name, variant) = self.0.variant_seed(Objects(seed))?;
        Ok((name, Objects(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Objects(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, Objects(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, A::Error> {
        self.0.newtype_variant_seed(Map(visitor))
    }
}

/// A wrapper of the visitor of a struct variant, whose fields come from an object too.
struct Map<V>(V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Map<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_map(Objects(self.0))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use crate::json::parse;
    use crate::limits::Limits;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only what can be read matters")]
    struct Outer {
        #[serde(default)]
        inner: Option<Inner>,
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        raw: Option<Box<RawValue>>,
        #[serde(default)]
        choice: Option<Choice>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only what can be read matters")]
    struct Inner {
        a: u64,
        #[serde(default)]
        b: String,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only what can be read matters")]
    enum Choice {
        Bare,
        Fields { a: u64 },
        Pair(u64, u64),
        Tuple(Inner),
    }

    #[test]
    fn a_structure_is_an_object() {
        let read = |text: &str| parse::<Outer>(text.as_bytes(), &Limits::DEFAULT).map(|outer| format!("{outer:?}"));
        for yes in [
            "{}",
            r#"{"inner":{"a":1,"b":"x"},"list":[{"a":1},{"b":"\n","a":2}]}"#,
            r#"{"inner":null,"raw":[{"b":1.0e0}],"other":[[1]]}"#,
            r#"{"raw":null,"choice":"Bare"}"#,
            r#"{"choice":{"Fields":{"a":1}}}"#,
            r#"{"choice":{"Pair":[1,2]}}"#,
            r#"{"choice":{"Tuple":{"a":1}}}"#,
        ] {
            let plain = serde_json::from_str::<Outer>(yes).map(|outer| format!("{outer:?}")).unwrap();
            assert_eq!(read(yes).unwrap(), plain, "{yes}");
        }
        for no in [
            "[]",
            "[null,[],null,null]",
            r#"{"inner":[1,"x"]}"#,
            r#"{"list":[[1,"x"]]}"#,
            r#"{"choice":{"Fields":[1]}}"#,
            r#"{"choice":{"Tuple":[1,"x"]}}"#,
        ] {
            // Plain serde reads each of these; otherwise the test would prove nothing.
            assert!(serde_json::from_str::<Outer>(no).is_ok(), "{no}");
            assert!(read(no).is_err(), "{no}");
        }
    }
}
