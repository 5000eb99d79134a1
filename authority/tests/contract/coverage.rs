use authority::coverage::{self, Day};
use authority::staff::{self, Member};
use domain::{Date, FactorKind, Role};

use crate::staff::{add, nurse, sign_in};
use crate::support::{Actor, MemberRow, PHONE, World, on_both_databases, random};

on_both_databases!(
    looking_at_the_trend_writes_nothing_and_counts_today,
    the_job_keeps_one_figure_a_day,
    every_figure_is_a_count_of_the_people,
);

async fn trend(world: &World, by: &Actor<'_>) -> Vec<Day> {
    let signed_in = by.signed_in().await;
    coverage::trend(&world.authority, signed_in.administrator().unwrap()).await.unwrap()
}

async fn looking_at_the_trend_writes_nothing_and_counts_today(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    add(&world, &ada, nurse("nina")).await;
    let today = Day { date: Date::of(world.authority.now()), members: 2, protected: 1, with_app: 0 };
    assert_eq!(trend(&world, &ada).await, [today]);
    assert_eq!(today.percent(), 50);
    assert_eq!(world.number("SELECT COUNT(*) FROM coverage").await, 0);
}

async fn the_job_keeps_one_figure_a_day(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    coverage::count(&world.authority).await.unwrap();
    add(&world, &ada, nurse("nina")).await;
    coverage::count(&world.authority).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM coverage").await, 1);
    assert_eq!(trend(&world, &ada).await.len(), 1, "today is there once");
    world.run("UPDATE coverage SET day = day - 1").await.unwrap();
    let days = trend(&world, &ada).await;
    assert_eq!(days.iter().map(|day| (day.members, day.protected)).collect::<Vec<_>>(), [(2, 1), (2, 1)]);
    assert!(days[0].date > days[1].date);
}

async fn every_figure_is_a_count_of_the_people(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let mut draw = random(29);
    // Ada, who has nothing set up.
    let mut expected = Day { date: Date::of(world.authority.now()), members: 1, protected: 0, with_app: 0 };
    let (mut lines, mut with_sms, mut devices) = (1, 0, 0);
    for number in 0..20 {
        let row = MemberRow {
            username: &format!("member{number}"),
            role: Role::ALL[draw(Role::ALL.len())],
            manages_accounts: false,
            cell_phone: PHONE,
        };
        let id = world.insert_member("ada", &row).await;
        let kinds = [FactorKind::Sms, FactorKind::Totp, FactorKind::Authenticator];
        let has = kinds.map(|_| draw(3) == 0);
        for (kind, _) in kinds.into_iter().zip(has).filter(|(_, has)| *has) {
            world.insert_factor(&id, kind, ["confirmed", "disabled"][draw(2)]).await;
        }
        if !has[1] && draw(4) == 0 {
            world.insert_factor(&id, FactorKind::Totp, "pending").await;
        }
        lines += 1;
        with_sms += usize::from(has[0]);
        devices += usize::from(has[2]);
        if draw(5) == 0 {
            sqlx::query("UPDATE account SET deactivated_at = 1 WHERE id = $1")
                .bind(&id)
                .execute(&world.pool)
                .await
                .unwrap();
            continue;
        }
        expected.members += 1;
        expected.protected += u32::from(has.contains(&true));
        expected.with_app += u32::from(has[1] || has[2]);
    }
    assert_eq!(trend(&world, &ada).await, [expected]);
    coverage::count(&world.authority).await.unwrap();
    world.advance(86_400);
    let opened = sign_in(&world, "ada").await;
    let ada = Actor { opened, ..ada };
    assert_eq!(trend(&world, &ada).await[1], expected, "what the job has kept");

    // What the page and the file show, line by line.
    let signed_in = ada.signed_in().await;
    let everybody = staff::list(&world.authority, signed_in.administrator().unwrap()).await.unwrap();
    let count = |is: fn(&Member) -> bool| everybody.iter().filter(|member| is(member)).count();
    assert_eq!(
        (everybody.len(), count(|member| member.has_sms), count(|member| member.devices > 0)),
        (lines, with_sms, devices)
    );
    let open = [
        count(|member| member.is_active),
        count(|member| member.is_active && member.is_protected()),
        count(|member| member.is_active && member.has_app()),
    ];
    assert_eq!(
        open.map(|number| u32::try_from(number).unwrap()),
        [expected.members, expected.protected, expected.with_app]
    );
}
